/* SPDX-License-Identifier: MIT */
/*
 * bare_epoll.c - epoll_wait(2) and a call: what a loop over epoll cannot be faster than.
 *
 * Tasks are a list onto which any thread pushes; who finds it empty from afar
 * also writes to an eventfd(2). Of timers there is one, the timeout of a wait.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"

enum { BATCH = 256 };

struct bare_task {
    struct callee callee;
    struct bare_task *next;
    atomic_bool is_asked;
};

struct bare {
    int fd;
    int64_t busy_ns;
    struct bare_watch *bell; /* made with the first task */
    _Atomic(struct bare_task *) asked;
};

static void *open_loop(const struct contender *who, const char **why)
{
    struct bare *b = calloc(1, sizeof(*b));

    (void)who;
    (void)why;
    must(b);
    b->fd = epoll_create1(EPOLL_CLOEXEC);
    must(b->fd >= 0);
    return b;
}

static void close_loop(void *loop)
{
    struct bare *b = loop;

    if (b->bell) {
        close(b->bell->fd);
        free(b->bell);
    }
    close(b->fd);
    free(b);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct bare *b = loop;
    struct bare_watch *w = malloc(sizeof(*w));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};

    must(w);
    *w = (struct bare_watch){.fd = fd, .fn = fn, .opaque = opaque};
    must(epoll_ctl(b->fd, EPOLL_CTL_ADD, fd, &event) == 0);
    return w;
}

static void unwatch(void *loop, void *watch)
{
    struct bare *b = loop;
    struct bare_watch *w = watch;

    must(epoll_ctl(b->fd, EPOLL_CTL_DEL, w->fd, NULL) == 0);
    free(w);
}

static int look_busily(const struct bare *b, struct epoll_event *events)
{
    int64_t end_ns = wall_ns() + b->busy_ns;
    int n;

    do {
        n = epoll_wait(b->fd, events, BATCH, 0);
    } while (n == 0 && wall_ns() < end_ns);
    return n;
}

/* In the order in which they were asked for. */
static void run_tasks(struct bare *b)
{
    struct bare_task *last = atomic_exchange_explicit(&b->asked, NULL, memory_order_acquire);
    struct bare_task *first = NULL;

    while (last) {
        struct bare_task *next = last->next;

        last->next = first;
        first = last;
        last = next;
    }
    while (first) {
        struct bare_task *t = first;

        first = t->next;
        atomic_store_explicit(&t->is_asked, false, memory_order_release);
        callee_call(&t->callee);
    }
}

static void turn(void *loop, bool may_block)
{
    struct bare *b = loop;
    struct epoll_event events[BATCH];
    bool is_idle = !atomic_load_explicit(&b->asked, memory_order_relaxed);
    int n = may_block && b->busy_ns > 0 ? look_busily(b, events) : 0;

    if (n == 0) {
        n = epoll_wait(b->fd, events, BATCH, may_block && is_idle ? -1 : 0);
    }
    if (atomic_load_explicit(&b->asked, memory_order_relaxed)) {
        run_tasks(b);
    }
    for (int i = 0; i < n; i++) {
        struct bare_watch *w = events[i].data.ptr;
        w->fn(w->opaque);
    }
}

static void take_bell(void *opaque)
{
    eventfd_t value;

    eventfd_read(((struct bare *)opaque)->bell->fd, &value);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    struct bare *b = loop;

    if (!b->bell) {
        b->bell = watch(b, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), take_bell, b);
    }
    return callee_new(sizeof(struct bare_task), fn, opaque);
}

/* Whether nobody had asked since they last ran. */
static bool push(struct bare *b, struct bare_task *t)
{
    struct bare_task *before;

    if (atomic_exchange_explicit(&t->is_asked, true, memory_order_acq_rel)) {
        return false;
    }
    before = atomic_load_explicit(&b->asked, memory_order_relaxed);
    do {
        t->next = before;
    } while (!atomic_compare_exchange_weak_explicit(&b->asked, &before, t, memory_order_release,
                                                    memory_order_relaxed));
    return !before;
}

static void task_ask(void *loop, void *task)
{
    push(loop, task);
}

static void task_ask_from_afar(void *loop, void *task)
{
    struct bare *b = loop;

    if (push(b, task)) {
        must(eventfd_write(b->bell->fd, 1) == 0);
    }
}

static void task_free(void *loop, void *task)
{
    (void)loop;
    free(task);
}

static void sleep_once(void *loop, int64_t timeout_ns)
{
    struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    struct epoll_event event;

    must(epoll_pwait2(((struct bare *)loop)->fd, &event, 1, &timeout, NULL) == 0);
}

static void converse(void *loop, const int fd[2], long messages, size_t bytes)
{
    bare_converse(fd, ((struct bare *)loop)->fd, messages, bytes);
}

static void poll_busily(void *loop, int64_t most_ns)
{
    ((struct bare *)loop)->busy_ns = most_ns;
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(unwatch),
    TASK_OPS(task_free),
    .task_ask_from_afar = task_ask_from_afar,
    .sleep_once = sleep_once,
    .poll_busily = poll_busily,
    .converse = converse,
};

const struct contender bare_epoll = {.name = "bare epoll",
                                     .kind = LIMIT,
                                     .variant = "epoll",
                                     .version = kernel_version,
                                     .loop = &ops};
