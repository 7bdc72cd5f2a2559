/* SPDX-License-Identifier: MIT */
/*
 * thread.c - a thread that turns a loop until it is told to stop.
 *
 * Whoever makes one waits until the thread says how its start went, so an error
 * of the thread is an error of aiox_thread_new().
 *
 *   [THREAD-stop]  stop (release) -> run (acquire): what was asked for before
 *                  is seen by the turns that follow.
 */
#define _GNU_SOURCE
#include "aiox/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/atomic.h"
#include "aiox/log.h"

enum {
    LAST_TURNS = 100,
    NAME_BYTES = 16, /* the system's limit, with the NUL */
};

/* What the thread says to whoever waits for its start. */
struct reply {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool given;
    int code;
    struct aiox_error err;
};

struct aiox_thread {
    pthread_t thread;
    bool joined;
    aiox_atomic_u32 stop;
    struct aiox_context *ctx;
    struct aiox_thread_options options; /* name and wish are not to be used */
    char name[NAME_BYTES];
    struct reply reply;
};

/* ---- in the thread ---- */

static __thread const struct aiox_thread *running;

/* Out of line: a coroutine that asks may have been in another thread before. */
static AIOX_NOINLINE void set_running(const struct aiox_thread *t)
{
    running = t;
    __asm__ volatile("" ::: "memory");
}

AIOX_NOINLINE bool aiox_thread_is_self(const struct aiox_thread *thread)
{
    __asm__ volatile("" ::: "memory");
    return running == thread;
}

static void give_reply(struct reply *r, int code)
{
    pthread_mutex_lock(&r->lock);
    r->given = true;
    r->code = code;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static int set_busy_poll(struct aiox_thread *t)
{
    const struct aiox_thread_options *o = &t->options;
    int64_t max_ns = o->busy_max_ns;
    int err;

    if (max_ns == 0 && o->context) {
        return 0;
    }
    if (max_ns == 0) {
        max_ns = AIOX_BUSY_POLL_NS;
    } else if (max_ns == AIOX_BUSY_POLL_OFF) {
        max_ns = 0;
    }
    err = aiox_context_set_busy_poll(t->ctx, max_ns, o->busy_grow, o->busy_shrink);
    if (err < 0) {
        aiox_error_set(&t->reply.err, err, "the time of busy polling is negative");
    }
    return err;
}

/* Makes this thread the home and gets ready to turn. */
static int begin(struct aiox_thread *t)
{
    const struct aiox_thread_options *o = &t->options;
    int err = aiox_context_adopt(t->ctx, &t->reply.err);

    if (err == 0) {
        err = set_busy_poll(t);
    }
    if (err < 0) {
        return err;
    }
    aiox_context_set_current(t->ctx);
    err = o->start ? o->start(t->ctx, o->opaque) : 0;
    if (err < 0) {
        aiox_error_set(&t->reply.err, err, "the start of the thread '%s' failed: %s", t->name,
                       aiox_error_text(err));
    }
    return err;
}

/* Somebody may wait for the context. */
static void give_up_home(struct aiox_thread *t)
{
    struct aiox_error err;

    if (aiox_context_lend(t->ctx, &err) < 0) {
        aiox_log(AIOX_LOG_DEBUG, "the thread '%s' ends and stays the home of its context: %s",
                 t->name, err.message);
    }
}

static void *run(void *opaque)
{
    struct aiox_thread *t = opaque;
    int err;

    set_running(t);
    pthread_setname_np(pthread_self(), t->name);
    err = begin(t);
    give_reply(&t->reply, err);
    if (err == 0) {
        while (!aiox_u32_load_acquire(&t->stop)) { /* [THREAD-stop] */
            aiox_poll(t->ctx, true);
        }
        for (int i = 0; i < LAST_TURNS && aiox_poll(t->ctx, false); i++) {
        }
        if (t->options.stop) {
            t->options.stop(t->ctx, t->options.opaque);
        }
        give_up_home(t);
    }
    aiox_context_set_current(NULL);
    return NULL;
}

/* ---- in the thread that makes it ---- */

/* Signals but those that a fault of the thread itself raises. */
static void outside_signals(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

    sigfillset(set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        sigdelset(set, faults[i]);
    }
}

static int wait_for_reply(struct reply *r)
{
    int code;

    pthread_mutex_lock(&r->lock);
    while (!r->given) {
        pthread_cond_wait(&r->changed, &r->lock);
    }
    code = r->code;
    pthread_mutex_unlock(&r->lock);
    return code;
}

/* A negative errno: there is no thread. */
static int launch(struct aiox_thread *t)
{
    sigset_t blocked;
    sigset_t former;
    int err;

    outside_signals(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &former);
    err = -pthread_create(&t->thread, NULL, run, t);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (err < 0) {
        return aiox_error_set(&t->reply.err, err, "the thread '%s' cannot be started: %s", t->name,
                              aiox_error_text(err));
    }
    err = wait_for_reply(&t->reply);
    if (err < 0) {
        pthread_join(t->thread, NULL);
    }
    return err;
}

static void discard(struct aiox_thread *t)
{
    aiox_context_unref(t->ctx);
    pthread_cond_destroy(&t->reply.changed);
    pthread_mutex_destroy(&t->reply.lock);
    free(t);
}

static struct aiox_thread *make(const struct aiox_thread_options *options)
{
    struct aiox_thread *t = calloc(1, sizeof(*t));

    if (t) {
        t->options = *options;
        snprintf(t->name, sizeof(t->name), "%s", options->name ? options->name : "aiox");
        pthread_mutex_init(&t->reply.lock, NULL);
        pthread_cond_init(&t->reply.changed, NULL);
    }
    return t;
}

int aiox_thread_new(struct aiox_thread **out, const struct aiox_thread_options *options,
                    struct aiox_error *err)
{
    static const struct aiox_thread_options none;
    struct aiox_thread *t;
    int code = 0;

    options = options ? options : &none;
    t = make(options);
    if (!t) {
        return aiox_error_set(err, -ENOMEM, "no memory for a thread");
    }
    if (options->context) {
        t->ctx = aiox_context_ref(options->context);
    } else {
        code = aiox_new_with(&t->ctx, options->wish, &t->reply.err);
    }
    if (code == 0) {
        code = launch(t);
    }
    if (code < 0) {
        if (err) {
            *err = t->reply.err;
        }
        discard(t);
        return code;
    }
    *out = t;
    return 0;
}

struct aiox_context *aiox_thread_context(struct aiox_thread *thread)
{
    return thread->ctx;
}

void aiox_thread_stop(struct aiox_thread *thread)
{
    aiox_u32_store_release(&thread->stop, 1); /* [THREAD-stop] */
    aiox_notify(thread->ctx);
}

void aiox_thread_join(struct aiox_thread *thread)
{
    if (thread->joined) {
        return;
    }
    if (aiox_thread_is_self(thread)) {
        aiox_panic("the thread '%s' cannot wait for its own end; aiox_thread_stop() does not wait",
                   thread->name);
    }
    aiox_thread_stop(thread);
    pthread_join(thread->thread, NULL);
    thread->joined = true;
}

void aiox_thread_free(struct aiox_thread *thread)
{
    if (thread) {
        aiox_thread_join(thread);
        discard(thread);
    }
}
