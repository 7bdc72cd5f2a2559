/* SPDX-License-Identifier: MIT */
/* threads.c - threads of the system, which no signal disturbs. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "aiox/assert.h"

#include "crew.h"

/* Signals that a thread sends itself by a fault stay open: whoever reports crashes wants them. */
static void block_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t all;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        sigdelset(&all, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static int start(void *(*work)(void *opaque), void *opaque)
{
    pthread_t thread;
    sigset_t before;
    int err;

    block_signals(&before); /* a new thread has the mask of its maker */
    err = pthread_create(&thread, NULL, work, opaque);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -err;
}

static void begin(void)
{
    pthread_setname_np(pthread_self(), "aiox-pool");
}

static void join(pthread_t thread)
{
    aiox_assert(pthread_join(thread, NULL) == 0);
}

const struct crew_threads crew_threads_ = {.start = start, .begin = begin, .join = join};
