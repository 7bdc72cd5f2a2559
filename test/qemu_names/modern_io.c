/* SPDX-License-Identifier: MIT */
/* modern_io.c - the second half of the program for release 10.2: pools, threads, channels. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aiox/qemu/aio_co.h"
#include "aiox/qemu/channel.h"
#include "aiox/qemu/iothread.h"
#include "aiox/qemu/main_loop.h"
#include "aiox/qemu/thread_pool.h"
#include "test/qemu_names/names.h"

static int answer(void *opaque)
{
    return *(int *)opaque + 1;
}

static void note(void *opaque, int ret)
{
    *(int *)opaque = ret;
}

static void coroutine_fn ask_in_coroutine(void *opaque)
{
    int question = 1;

    *(int *)opaque = thread_pool_submit_co(answer, &question);
}

const char *thread_pool_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    int question = 41, ret = 0, cancelled = 0, of_coroutine = 0;
    Error *err = NULL;

    qemu_set_current_aio_context(ctx);
    aio_context_set_thread_pool_params(ctx, 2, 1, &err);
    WANT(err && strstr(error_get_pretty(err), "2 to 1"));
    error_free(err);
    BlockAIOCB *acb = thread_pool_submit_aio(answer, &question, note, &ret);
    qemu_aio_ref(acb);
    while (ret == 0) {
        aio_poll(ctx, true);
    }
    WANT(ret == 42);
    qemu_aio_unref(acb);
    acb = thread_pool_submit_aio(answer, &question, note, &cancelled);
    bdrv_aio_cancel(acb);
    WANT(cancelled == 42 || cancelled == -ECANCELED);
    aio_co_enter(ctx, qemu_coroutine_create(ask_in_coroutine, &of_coroutine));
    while (of_coroutine == 0) {
        aio_poll(ctx, true);
    }
    WANT(of_coroutine == 2);
    qemu_set_current_aio_context(NULL);
    aio_context_unref(ctx);
    return NULL;
}

static void ring(void *opaque)
{
    event_notifier_set(opaque);
}

const char *iothread_2025(void)
{
    IOThread *thread = iothread_create("io0", &error_abort);
    EventNotifier heard;
    struct pollfd wait;
    char *id = iothread_get_id(thread);

    WANT(id && strcmp(id, "io0") == 0);
    free(id);
    WANT(event_notifier_init(&heard, 0) == 0);
    aio_bh_schedule_oneshot(iothread_get_aio_context(thread), ring, &heard);
    wait.fd = event_notifier_get_fd(&heard);
    wait.events = POLLIN;
    WANT(poll(&wait, 1, -1) == 1);
    iothread_stop(thread);
    iothread_destroy(thread);
    event_notifier_cleanup(&heard);
    return NULL;
}

struct talk {
    QIOChannel *end;
    char heard[8];
    int done;
};

static void coroutine_fn listen_and_answer(void *opaque)
{
    struct talk *talk = opaque;

    qio_channel_yield(talk->end, POLLIN);
    if (qio_channel_read_all(talk->end, talk->heard, 5, &error_abort) == 0) {
        talk->done = qio_channel_write_all(talk->end, "there", 5, &error_abort) == 0 ? 1 : -1;
    }
}

static const char *pass_a_descriptor(QIOChannel *from, QIOChannel *to)
{
    struct iovec iov = {(char[]){"x"}, 1};
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), *fds = NULL;
    size_t nfds = 0;

    WANT(fd >= 0 && qio_channel_has_feature(from, QIO_CHANNEL_FEATURE_FD_PASS));
    WANT(qio_channel_writev_full_all(from, &iov, 1, &fd, 1, 0, &error_abort) == 0);
    WANT(qio_channel_readv_full_all(to, &iov, 1, &fds, &nfds, &error_abort) == 0);
    WANT(nfds == 1 && fds[0] >= 0 && fds[0] != fd);
    close(fds[0]);
    close(fd);
    free(fds);
    return NULL;
}

static const char *meet_the_end(QIOChannel *here, QIOChannel *there)
{
    Error *err = NULL;
    char buf[4];

    WANT(qio_channel_shutdown(there, QIO_CHANNEL_SHUTDOWN_WRITE, &error_abort) == 0);
    WANT(qio_channel_read_all_eof(here, buf, 4, &error_abort) == 0);
    WANT(qio_channel_read_all(here, buf, 4, &err) == -1 && err);
    error_free(err);
    return NULL;
}

static const char *remember(void)
{
    QIOChannel *buffer = qio_channel_buffer_new(16), *null = qio_channel_null_new();
    char buf[6] = "";

    WANT(qio_channel_write_all(buffer, "abcdef", 6, &error_abort) == 0);
    WANT(qio_channel_io_seek(buffer, 2, SEEK_SET, &error_abort) == 2);
    WANT(qio_channel_read(buffer, buf, 3, &error_abort) == 3 && memcmp(buf, "cde", 3) == 0);
    WANT(qio_channel_read(null, buf, 3, &error_abort) == 0);
    qio_channel_unref(buffer);
    qio_channel_unref(null);
    return NULL;
}

const char *channels_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    struct talk talk;
    QIOChannel *near;
    const char *wrong;
    char buf[5];
    int fds[2];

    memset(&talk, 0, sizeof(talk));
    WANT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    near = qio_channel_new_fd(fds[0], &error_abort);
    talk.end = qio_channel_new_fd(fds[1], &error_abort);
    qio_channel_set_blocking(near, false, &error_abort);
    WANT(qio_channel_read(near, buf, 5, &error_abort) == QIO_CHANNEL_ERR_BLOCK);
    aio_co_enter(ctx, qemu_coroutine_create(listen_and_answer, &talk));
    WANT(qio_channel_write_all(near, "hello", 5, &error_abort) == 0);
    while (talk.done == 0) {
        aio_poll(ctx, true);
    }
    WANT(talk.done == 1 && memcmp(talk.heard, "hello", 5) == 0);
    WANT(qio_channel_read_all(near, buf, 5, &error_abort) == 0 && memcmp(buf, "there", 5) == 0);
    wrong = pass_a_descriptor(near, talk.end);
    wrong = wrong ? wrong : meet_the_end(near, talk.end);
    wrong = wrong ? wrong : remember();
    WANT(qio_channel_close(near, &error_abort) == 0);
    qio_channel_unref(near);
    qio_channel_unref(talk.end);
    aio_context_unref(ctx);
    return wrong;
}

/* Another thread submits, and turns the loop until that is done. */
static const char *borrow_and_wait(AioContext *ctx)
{
    EventNotifier done;
    int rung = 0;

    WANT(event_notifier_init(&done, 0) == 0);
    aio_context_acquire(ctx);
    aio_context_acquire(ctx);
    aio_bh_schedule_oneshot(ctx, ring, &done);
    while (!rung) {
        aio_poll(ctx, true);
        rung = event_notifier_test_and_clear(&done);
    }
    aio_context_release(ctx);
    aio_context_release(ctx);
    event_notifier_cleanup(&done);
    return NULL;
}

const char *borrowing_2025(void)
{
    IOThread *thread = iothread_create("io1", &error_abort);
    const char *wrong = borrow_and_wait(iothread_get_aio_context(thread));

    iothread_destroy(thread);
    return wrong;
}
