/* SPDX-License-Identifier: MIT */
/* stack.h - where a program was when it crashed or hung. */
#ifndef AIOX_TEST_HARNESS_STACK_H_
#define AIOX_TEST_HARNESS_STACK_H_

namespace aiox_test
{
/* Writes @text to stderr. signal-safe */
void Print(const char *text);

/* Prints the caller's stack to stderr, one line per function. signal-safe */
void PrintStack();

/*
 * Loads what PrintStack() needs, and lets a signal that ends the program print
 * the stack first. What a sanitizer reports is left to it. Call once, in main.
 */
void InstallCrashHandler(const char *program);
} // namespace aiox_test

#endif // AIOX_TEST_HARNESS_STACK_H_
