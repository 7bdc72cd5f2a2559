/* SPDX-License-Identifier: MIT */
/* count.c - traces a run, all of its threads, and counts system calls between the marks. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "stage.h"

enum {
    OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
              PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL,
};

/* One run under the tracer. */
struct trace {
    pid_t child; /* who says the marks */
    enum mark state;
    struct count count;
};

static void hear_mark(struct trace *trace, const uint64_t *args)
{
    if (args[1] == MARK_OPERATIONS) {
        trace->count.operations = (long)args[2];
    } else {
        trace->state = (enum mark)args[1];
    }
}

static bool is_counted(const struct trace *trace, pid_t thread)
{
    switch (trace->state) {
    case MARK_BEGIN:
        return true;
    case MARK_BEGIN_ALONE:
        return thread == trace->child;
    case MARK_BEGIN_OTHERS:
        return syscall(SYS_tgkill, trace->child, thread, 0) != 0;
    default:
        return false;
    }
}

/* A thread stands at the beginning or at the end of a system call. */
static void look(struct trace *trace, pid_t thread)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY) {
        return;
    }
    if (info.entry.nr == SYS_prctl && info.entry.args[0] == MARK) {
        hear_mark(trace, (const uint64_t *)info.entry.args);
    } else if (is_counted(trace, thread)) {
        trace->count.calls++;
    }
}

/* The signal to hand on to a thread that has stopped: none if the stop is ours. */
static int signal_to_pass(int status)
{
    int signal = WSTOPSIG(status);

    return status >> 16 || signal == SIGTRAP || signal == SIGSTOP || signal == (SIGTRAP | 0x80)
               ? 0
               : signal;
}

static struct count follow(pid_t child)
{
    struct trace trace = {.child = child, .state = MARK_END};
    struct count failed = {-1, 0};
    int status = 0;
    pid_t thread;

    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (thread == child) {
                return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? trace.count : failed;
            }
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            look(&trace, thread);
        }
        ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(long)signal_to_pass(status));
    }
    return failed;
}

struct count count_system_calls(char **argv)
{
    int status;
    pid_t child = fork();

    must(child >= 0);
    if (child == 0) {
        must(freopen("/dev/null", "w", stdout));
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    must(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    must(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(long)OPTIONS) == 0);
    ptrace(PTRACE_SYSCALL, child, NULL, NULL);
    return follow(child);
}
