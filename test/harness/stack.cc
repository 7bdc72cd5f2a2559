/* SPDX-License-Identifier: MIT */
/*
 * stack.cc - backtrace() finds the frames, also below a signal and in libraries
 * without frame pointers; abseil's symbolizer names them, also the hidden ones.
 */
#include "test/harness/stack.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include <absl/debugging/symbolize.h>

#include "aiox/attributes.h"

namespace aiox_test
{
namespace
{
#if AIOX_ASAN || AIOX_TSAN
constexpr int kCrashes[] = {SIGABRT}; /* the sanitizer reports the rest */
#else
constexpr int kCrashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
#endif

constexpr int kMaxFrames = 64;

alignas(16) char crash_stack[65536];

/* The handler is gone when this runs; the signal ends the program. */
void OnCrash(int signal)
{
    char line[100];
    snprintf(line, sizeof(line), "crash: SIG%s\n", sigabbrev_np(signal));
    Print(line);
    PrintStack();
    raise(signal);
}
} // namespace

void Print(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

void PrintStack()
{
    void *frames[kMaxFrames];
    int n = backtrace(frames, kMaxFrames);
    char name[200];
    char line[256];
    for (int i = 1; i < n; i++) {
        if (!absl::Symbolize(static_cast<char *>(frames[i]) - 1, name, sizeof(name))) {
            strcpy(name, "?");
        }
        snprintf(line, sizeof(line), "    %p %s\n", frames[i], name);
        Print(line);
    }
}

void InstallCrashHandler(const char *program)
{
    absl::InitializeSymbolizer(program);
    void *frame;
    backtrace(&frame, 1); /* its first call allocates */
    stack_t stack = {};
    stack.ss_sp = crash_stack;
    stack.ss_size = sizeof(crash_stack);
    sigaltstack(&stack, nullptr);
    struct sigaction action = {};
    action.sa_handler = OnCrash;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
    for (int signal : kCrashes) {
        sigaction(signal, &action, nullptr);
    }
}
} // namespace aiox_test
