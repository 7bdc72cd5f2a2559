/* SPDX-License-Identifier: MIT */
/* testing.h - coroutines from lambdas, for tests. */
#ifndef AIOX_COROUTINE_TEST_TESTING_H_
#define AIOX_COROUTINE_TEST_TESTING_H_

#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "aiox/coroutine.h"

namespace co_testing
{
inline void RunAndDelete(void *opaque)
{
    std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()> *>(opaque));
    (*body)();
}

/* A coroutine that runs @body; it is not entered yet. */
inline aiox_co *Spawn(std::function<void()> body, const aiox_co_class *class_ = nullptr)
{
    aiox_co *co = nullptr;
    auto opaque = std::make_unique<std::function<void()>>(std::move(body));
    if (aiox_co_create(&co, class_, &RunAndDelete, opaque.get())) {
        abort();
    }
    opaque.release();
    return co;
}

/* A lambda has no place for coroutine_fn. */
inline void Yield() AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_yield();
}

inline aiox_co_pool_stats Stats()
{
    aiox_co_pool_stats stats;
    aiox_co_pool_get_stats(&stats);
    return stats;
}
/*
 * A death test starts a new program under ThreadSanitizer: in a child of a
 * program with threads, it sees no order between fibers.
 */
class DeathTest : public ::testing::Test
{
  protected:
    DeathTest()
    {
        GTEST_FLAG_SET(death_test_style, AIOX_TSAN ? "threadsafe" : "fast");
    }
};
} // namespace co_testing

#endif /* AIOX_COROUTINE_TEST_TESTING_H_ */
