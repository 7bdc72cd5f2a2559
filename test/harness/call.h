/* SPDX-License-Identifier: MIT */
/* Gives a lambda to a C interface: Call and a pointer to a Fn, which the test keeps alive. */
#ifndef AIOX_TEST_HARNESS_CALL_H_
#define AIOX_TEST_HARNESS_CALL_H_

#include <functional>

using Fn = std::function<void()>;

inline void Call(void *fn)
{
    (*static_cast<Fn *>(fn))();
}

#endif
