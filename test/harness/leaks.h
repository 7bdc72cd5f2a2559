/* SPDX-License-Identifier: MIT */
/* leaks.h - a test leaves the process as it found it. */
#ifndef AIOX_TEST_HARNESS_LEAKS_H_
#define AIOX_TEST_HARNESS_LEAKS_H_

#include <gtest/gtest.h>

namespace aiox_test
{
/*
 * Makes a listener that fails a test after which the process has descriptors
 * or threads that it had not before, or lacks descriptors that it had.
 *
 * What SetUpTestSuite makes is there before the test and may stay. The threads
 * of io_uring's own pool are the kernel's and do not count.
 */
::testing::TestEventListener *NewLeakListener();
} // namespace aiox_test

#endif // AIOX_TEST_HARNESS_LEAKS_H_
