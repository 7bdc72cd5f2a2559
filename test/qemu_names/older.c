/* SPDX-License-Identifier: MIT */
/* older.c - a program with the arities of earlier releases: compiled once for each year. */
#include <string.h>
#include <unistd.h>

#include "aiox/qemu/aio.h"
#include "aiox/qemu/co_sync.h"
#include "aiox/qemu/coroutine.h"
#include "aiox/qemu/main_loop.h"
#include "aiox/qemu/thread_pool.h"
#include "test/qemu_names/names.h"

#if AIOX_QEMU_API == 2014
#define OF_THIS_YEAR(name) name##_2014
#define NEW_CONTEXT() aio_context_new(&error_abort)
#define WATCH(ctx, fd, read, opaque) aio_set_fd_handler(ctx, fd, read, NULL, opaque)
#define WATCH_NOTIFIER(ctx, n, read) aio_set_event_notifier(ctx, n, read)
#else
#define OF_THIS_YEAR(name) name##_2013
#define NEW_CONTEXT() aio_context_new()
#define WATCH(ctx, fd, read, opaque) aio_set_fd_handler(ctx, fd, read, NULL, NULL, opaque)
#define WATCH_NOTIFIER(ctx, n, read) aio_set_event_notifier(ctx, n, read, NULL)
#endif

struct both {
    EventNotifier notifier; /* first: found by its address */
    int fd;
    int heard;
    int read;
};

static void hear(EventNotifier *notifier)
{
    ((struct both *)(void *)notifier)->heard += event_notifier_test_and_clear(notifier);
}

static void take(void *opaque)
{
    struct both *both = opaque;
    char byte;

    both->read += read(both->fd, &byte, 1) == 1;
}

const char *OF_THIS_YEAR(descriptors)(void)
{
    AioContext *ctx = NEW_CONTEXT();
    struct both both;
    int fds[2];

    memset(&both, 0, sizeof(both));
    WANT(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
    WANT(event_notifier_init(&both.notifier, 1) == 0);
    both.fd = fds[0];
    WATCH(ctx, fds[0], take, &both);
    WATCH_NOTIFIER(ctx, &both.notifier, hear);
    while (both.read == 0 || both.heard == 0) {
        aio_poll(ctx, true);
    }
    WATCH_NOTIFIER(ctx, &both.notifier, NULL);
    WATCH(ctx, fds[0], NULL, NULL);
    WANT(!aio_poll(ctx, false));
    event_notifier_cleanup(&both.notifier);
    close(fds[0]);
    close(fds[1]);
    aio_context_unref(ctx);
    return NULL;
}

static void coroutine_fn add(void *opaque)
{
    int *sum = opaque;

    *sum += 1;
    qemu_coroutine_yield();
    *sum += 10;
}

const char *OF_THIS_YEAR(coroutines)(void)
{
    Coroutine *co = qemu_coroutine_create(add);
    int sum = 0;

    qemu_coroutine_enter(co, &sum);
    WANT(sum == 1);
    qemu_coroutine_enter(co, NULL);
    WANT(sum == 11);
    return NULL;
}

static int answer(void *opaque)
{
    return *(int *)opaque + 1;
}

static void note(void *opaque, int ret)
{
    *(int *)opaque = ret;
}

const char *OF_THIS_YEAR(thread_pool)(void)
{
    AioContext *ctx = NEW_CONTEXT();
    int question = 41, ret = 0;

    thread_pool_submit(aio_get_thread_pool(ctx), answer, &question);
    thread_pool_submit_aio(aio_get_thread_pool(ctx), answer, &question, note, &ret);
    while (ret == 0) {
        aio_poll(ctx, true);
    }
    WANT(ret == 42);
    aio_context_unref(ctx);
    return NULL;
}

struct stop {
    CoQueue queue;
    int passed;
};

static void coroutine_fn wait_there(void *opaque)
{
    struct stop *stop = opaque;

    qemu_co_queue_wait(&stop->queue);
    stop->passed++;
}

const char *OF_THIS_YEAR(queue)(void)
{
    struct stop stop;

    memset(&stop, 0, sizeof(stop));
    qemu_co_queue_init(&stop.queue);
    qemu_coroutine_enter(qemu_coroutine_create(wait_there), &stop);
    WANT(stop.passed == 0 && !qemu_co_queue_empty(&stop.queue));
    qemu_co_queue_restart_all(&stop.queue);
    WANT(stop.passed == 1 && qemu_co_queue_empty(&stop.queue));
    return NULL;
}
