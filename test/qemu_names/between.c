/* SPDX-License-Identifier: MIT */
/* between.c - a program with the arities of 2015 to 2024: compiled once for each of some years. */
#include <string.h>
#include <unistd.h>

#include "aiox/qemu/aio.h"
#include "aiox/qemu/channel_socket.h"
#include "aiox/qemu/co_sync.h"
#include "aiox/qemu/coroutine.h"
#include "aiox/qemu/main_loop.h"
#include "aiox/qemu/net_listener.h"
#include "aiox/qemu/thread_pool.h"
#include "test/qemu_names/names.h"

#if AIOX_QEMU_API >= 2023
#define WATCH(ctx, fd, read, opaque) aio_set_fd_handler(ctx, fd, read, NULL, NULL, NULL, opaque)
#define WATCH_NOTIFIER(ctx, n, read) aio_set_event_notifier(ctx, n, read, NULL, NULL)
#define SUBMIT(ctx, fn, arg, done, opaque) thread_pool_submit_aio(fn, arg, done, opaque)
#define READ_FULL(ioc, iov) qio_channel_readv_full(ioc, iov, 1, NULL, NULL, 0, &error_abort)
#define ATTACH(ioc, ctx) qio_channel_set_follow_coroutine_ctx(ioc, true)
#elif AIOX_QEMU_API >= 2022
#define WATCH(ctx, fd, read, opaque)                                                               \
    aio_set_fd_handler(ctx, fd, true, read, NULL, NULL, NULL, opaque)
#define WATCH_NOTIFIER(ctx, n, read) aio_set_event_notifier(ctx, n, false, read, NULL, NULL)
#elif AIOX_QEMU_API >= 2017
#define WATCH(ctx, fd, read, opaque) aio_set_fd_handler(ctx, fd, true, read, NULL, NULL, opaque)
#define WATCH_NOTIFIER(ctx, n, read) aio_set_event_notifier(ctx, n, false, read, NULL)
#else
#define WATCH(ctx, fd, read, opaque) aio_set_fd_handler(ctx, fd, true, read, NULL, opaque)
#define WATCH_NOTIFIER(ctx, n, read) aio_set_event_notifier(ctx, n, false, read)
#endif

#if AIOX_QEMU_API < 2023
#define SUBMIT(ctx, fn, arg, done, opaque)                                                         \
    thread_pool_submit_aio(aio_get_thread_pool(ctx), fn, arg, done, opaque)
#define READ_FULL(ioc, iov) qio_channel_readv_full(ioc, iov, 1, NULL, NULL, &error_abort)
#define ATTACH(ioc, ctx) qio_channel_attach_aio_context(ioc, ctx)
#define CAN_KEEP_OUT true
#define KEEP_OUT(ctx) aio_disable_external(ctx)
#define LET_IN(ctx) aio_enable_external(ctx)
#else
#define CAN_KEEP_OUT false
#define KEEP_OUT(ctx) (void)(ctx)
#define LET_IN(ctx) (void)(ctx)
#endif

#if AIOX_QEMU_API >= 2022
#define WRITE_FULL(ioc, iov) qio_channel_writev_full(ioc, iov, 1, NULL, 0, 0, &error_abort)
#else
#define WRITE_FULL(ioc, iov) qio_channel_writev_full(ioc, iov, 1, NULL, 0, &error_abort)
#endif

#if AIOX_QEMU_API >= 2019
#define LISTEN(sioc, at) qio_channel_socket_listen_sync(sioc, at, 1, &error_abort)
#define OPEN(listener, at) qio_net_listener_open_sync(listener, at, 1, &error_abort)
#else
#define LISTEN(sioc, at) qio_channel_socket_listen_sync(sioc, at, &error_abort)
#define OPEN(listener, at) qio_net_listener_open_sync(listener, at, &error_abort)
#endif

#if AIOX_QEMU_API >= 2016
#define START(fn, opaque) qemu_coroutine_enter(qemu_coroutine_create(fn, opaque))
#else
#define START(fn, opaque) qemu_coroutine_enter(qemu_coroutine_create(fn), opaque)
#endif

#if AIOX_QEMU_API >= 2017
#define WAIT_IN(queue) qemu_co_queue_wait(queue, NULL)
#else
#define WAIT_IN(queue) qemu_co_queue_wait(queue)
#endif

/* ---- a loop ---- */

struct desk {
    EventNotifier notifier; /* first: found by its address */
    CoQueue queue;
    int fd;
    int heard, read, done, passed;
};

static void hear(EventNotifier *notifier)
{
    ((struct desk *)(void *)notifier)->heard += event_notifier_test_and_clear(notifier);
}

static void take(void *opaque)
{
    struct desk *desk = opaque;
    char byte;

    desk->read += read(desk->fd, &byte, 1) == 1;
}

static int answer(void *opaque)
{
    return *(int *)opaque + 1;
}

static void note(void *opaque, int ret)
{
    *(int *)opaque = ret;
}

static void coroutine_fn wait_there(void *opaque)
{
    struct desk *desk = opaque;

    WAIT_IN(&desk->queue);
    desk->passed++;
}

static const char *work(AioContext *ctx, struct desk *desk)
{
    int question = 41;

    qemu_co_queue_init(&desk->queue);
    START(wait_there, desk);
    WATCH(ctx, desk->fd, take, desk);
    WATCH_NOTIFIER(ctx, &desk->notifier, hear);
    SUBMIT(ctx, answer, &question, note, &desk->done);
    KEEP_OUT(ctx);
    while (desk->heard == 0 || desk->done == 0) {
        aio_poll(ctx, true);
    }
    WANT(!CAN_KEEP_OUT || desk->read == 0);
    LET_IN(ctx);
    while (desk->heard == 0 || desk->done == 0 || desk->read == 0) {
        aio_poll(ctx, true);
    }
    WANT(desk->done == 42 && desk->passed == 0);
    qemu_co_queue_restart_all(&desk->queue);
    WANT(desk->passed == 1);
    WATCH_NOTIFIER(ctx, &desk->notifier, NULL);
    WATCH(ctx, desk->fd, NULL, NULL);
    return NULL;
}

static const char *loop(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    const char *wrong;
    struct desk desk;
    int fds[2];

    memset(&desk, 0, sizeof(desk));
    qemu_set_current_aio_context(ctx);
    WANT(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
    WANT(event_notifier_init(&desk.notifier, 1) == 0);
    desk.fd = fds[0];
    wrong = work(ctx, &desk);
    event_notifier_cleanup(&desk.notifier);
    close(fds[0]);
    close(fds[1]);
    qemu_set_current_aio_context(NULL);
    aio_context_unref(ctx);
    return wrong;
}

/* ---- sockets ---- */

static const char *talk(QIOChannel *from, QIOChannel *to)
{
    char said[] = "ab", heard[3] = "";
    struct iovec out = {said, 2}, in = {heard, 2};

    WANT(WRITE_FULL(from, &out) == 2 && READ_FULL(to, &in) == 2);
    WANT(memcmp(said, heard, 2) == 0);
    qio_channel_set_blocking(to, false, &error_abort);
    WANT(READ_FULL(to, &in) == QIO_CHANNEL_ERR_BLOCK);
    return NULL;
}

static const char *sockets(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    QIOChannelSocket *sioc = qio_channel_socket_new(), *guest = qio_channel_socket_new(), *host;
    QIONetListener *listener = qio_net_listener_new();
    SocketAddress any = {.type = SOCKET_ADDRESS_TYPE_INET}, *at;
    const char *wrong;

    any.u.inet = (InetSocketAddress){.host = "127.0.0.1", .port = "0"};
    WANT(LISTEN(sioc, &any) == 0 && OPEN(listener, &any) == 0);
    at = qio_channel_socket_get_local_address(sioc, &error_abort);
    WANT(qio_channel_socket_connect_sync(guest, at, &error_abort) == 0);
    host = qio_channel_socket_accept(sioc, &error_abort);
    ATTACH(QIO_CHANNEL(host), ctx);
    wrong = talk(QIO_CHANNEL(guest), QIO_CHANNEL(host));
    qapi_free_SocketAddress(at);
    object_unref(OBJECT(host));
    object_unref(OBJECT(guest));
    object_unref(OBJECT(sioc));
    object_unref(OBJECT(listener));
    aio_context_unref(ctx);
    return wrong;
}

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)

const char *JOIN(between, AIOX_QEMU_API)(void)
{
    const char *wrong = loop();

    return wrong ? wrong : sockets();
}
