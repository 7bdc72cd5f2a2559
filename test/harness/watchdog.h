/* SPDX-License-Identifier: MIT */
/* watchdog.h - says where a test hangs before somebody else kills it silently. */
#ifndef AIOX_TEST_HARNESS_WATCHDOG_H_
#define AIOX_TEST_HARNESS_WATCHDOG_H_

namespace aiox_test
{
/*
 * Lets the program run for AIOX_TEST_WATCHDOG_SECONDS (0: for ever); if that is
 * unset for 5 s less than Bazel's TEST_TIMEOUT, or for 55 s. Then prints the
 * name of the test and the stack of every thread, and aborts.
 *
 * A timer and two real-time signals (SIGRTMAX - 2, SIGRTMAX - 3), no thread: so
 * it is no leak and death tests may fork. Call once, in main,
 * after InstallCrashHandler().
 */
void StartWatchdog();
} // namespace aiox_test

#endif // AIOX_TEST_HARNESS_WATCHDOG_H_
