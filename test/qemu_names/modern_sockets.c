/* SPDX-License-Identifier: MIT */
/* modern_sockets.c - the program for release 10.2 that connects, listens and starts others. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aiox/qemu/aio_co.h"
#include "aiox/qemu/aio_glib.h" /* not used: all of them get along in one file */
#include "aiox/qemu/channel_socket.h"
#include "aiox/qemu/co_sync.h"
#include "aiox/qemu/iothread.h"
#include "aiox/qemu/lockcnt.h"
#include "aiox/qemu/main_loop.h"
#include "aiox/qemu/net_listener.h"
#include "aiox/qemu/thread_pool.h"
#include "test/qemu_names/names.h"

/* ---- addresses ---- */

static const char *read_an_address(const char *text, SocketAddressType type)
{
    SocketAddress *addr = socket_parse(text, &error_abort);
    char *again;

    WANT(addr->type == type);
    again = socket_uri(addr);
    WANT(strcmp(again, text) == 0);
    free(again);
    qapi_free_SocketAddress(addr);
    return NULL;
}

static const char *refuse_an_address(SocketAddress *addr, const char *word)
{
    QIOChannelSocket *sioc = qio_channel_socket_new();
    Error *err = NULL;

    WANT(qio_channel_socket_connect_sync(sioc, addr, &err) == -1);
    WANT(strstr(error_get_pretty(err), word));
    error_free(err);
    object_unref(OBJECT(sioc));
    return NULL;
}

const char *socket_addresses_2025(void)
{
    SocketAddress only4 = {.type = SOCKET_ADDRESS_TYPE_INET};
    SocketAddress loose = {.type = SOCKET_ADDRESS_TYPE_UNIX};
    SocketAddress named = {.type = SOCKET_ADDRESS_TYPE_FD};
    Error *err = NULL;
    const char *wrong = read_an_address("tcp:host.example:80", SOCKET_ADDRESS_TYPE_INET);

    only4.u.inet = (InetSocketAddress){.host = "::1", .port = "1", .has_ipv6 = true};
    loose.u.q_unix = (UnixSocketAddress){.path = "x", .has_abstract = true, .abstract = true};
    loose.u.q_unix.has_tight = true;
    named.u.fd.str = "monitor-fd";
    wrong = wrong ? wrong : read_an_address("unix:/no/where", SOCKET_ADDRESS_TYPE_UNIX);
    wrong = wrong ? wrong : read_an_address("unix-abstract:name", SOCKET_ADDRESS_TYPE_UNIX);
    wrong = wrong ? wrong : read_an_address("vsock:3:1234", SOCKET_ADDRESS_TYPE_VSOCK);
    wrong = wrong ? wrong : read_an_address("fd:3", SOCKET_ADDRESS_TYPE_FD);
    wrong = wrong ? wrong : refuse_an_address(&only4, "family");
    wrong = wrong ? wrong : refuse_an_address(&loose, "tight");
    wrong = wrong ? wrong : refuse_an_address(&named, "fd");
    WANT(!socket_parse("nonsense", &err) && err);
    error_free(err);
    return wrong;
}

/* ---- a peer in a thread, the other a coroutine ---- */

struct meeting {
    QIOChannelSocket *listener;
    SocketAddress *at;
    char heard[6];
    int done;
};

static void *connect_and_greet(void *opaque)
{
    struct meeting *meeting = opaque;
    QIOChannelSocket *sioc = qio_channel_socket_new();

    qio_channel_set_name(QIO_CHANNEL(sioc), "greeter");
    if (qio_channel_socket_connect_sync(sioc, meeting->at, &error_abort) == 0) {
        qio_channel_set_delay(QIO_CHANNEL(sioc), false);
        qio_channel_write_all(QIO_CHANNEL(sioc), "hello", 5, &error_abort);
    }
    object_unref(OBJECT(sioc));
    return NULL;
}

static void coroutine_fn accept_and_hear(void *opaque)
{
    struct meeting *meeting = opaque;
    QIOChannelSocket *sioc = qio_channel_socket_accept(meeting->listener, &error_abort);

    qio_channel_read_all(QIO_CHANNEL(sioc), meeting->heard, 5, &error_abort);
    object_unref(OBJECT(sioc));
    meeting->done = 1;
}

/* Listens at @at, meets somebody there, and leaves. */
static const char *meet(AioContext *ctx, SocketAddress *at)
{
    struct meeting meeting = {.listener = qio_channel_socket_new()};
    pthread_t thread;

    WANT(qio_channel_socket_listen_sync(meeting.listener, at, 4, &error_abort) == 0);
    WANT(qio_channel_has_feature(QIO_CHANNEL(meeting.listener), QIO_CHANNEL_FEATURE_LISTEN));
    meeting.at = qio_channel_socket_get_local_address(meeting.listener, &error_abort);
    WANT(meeting.at->type == at->type);
    WANT(pthread_create(&thread, NULL, connect_and_greet, &meeting) == 0);
    aio_co_enter(ctx, qemu_coroutine_create(accept_and_hear, &meeting));
    while (!meeting.done) {
        aio_poll(ctx, true);
    }
    WANT(pthread_join(thread, NULL) == 0);
    WANT(strcmp(meeting.heard, "hello") == 0);
    WANT(qio_channel_close(QIO_CHANNEL(meeting.listener), &error_abort) == 0);
    object_unref(OBJECT(meeting.listener));
    qapi_free_SocketAddress(meeting.at);
    for (int i = 0; i < 2; i++) { /* a ring lets go of what it has watched */
        aio_poll(ctx, false);
    }
    return NULL;
}

const char *sockets_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    SocketAddress inet = {.type = SOCKET_ADDRESS_TYPE_INET};
    SocketAddress local = {.type = SOCKET_ADDRESS_TYPE_UNIX};
    QIOChannelSocket *alone = qio_channel_socket_new();
    Error *err = NULL;
    const char *wrong;
    char name[40];

    snprintf(name, sizeof(name), "aiox-names-%d", (int)getpid());
    inet.u.inet = (InetSocketAddress){.host = "127.0.0.1", .port = "0"};
    local.u.q_unix = (UnixSocketAddress){.path = name, .has_abstract = true, .abstract = true};
    wrong = meet(ctx, &inet);
    wrong = wrong ? wrong : meet(ctx, &local);
    WANT(qio_channel_socket_connect_sync(alone, &local, &err) == -1);
    WANT(strstr(error_get_pretty(err), name));
    error_free(err);
    err = NULL;
    WANT(!qio_channel_socket_get_remote_address(alone, &err) && err);
    error_free(err);
    object_unref(OBJECT(alone));
    aio_context_unref(ctx);
    return wrong;
}

/* ---- a set of listeners ---- */

static void count_and_answer(QIONetListener *listener, QIOChannelSocket *sioc, void *data)
{
    qio_channel_write_all(QIO_CHANNEL(sioc), "hi", 2, &error_abort);
    ++*(int *)data;
    (void)listener;
}

static void forget(void *data)
{
    *(int *)data = -1;
}

static const char *be_called(QIONetListener *listener, AioContext *ctx, SocketAddress *at)
{
    QIOChannelSocket *guest = qio_channel_socket_new();
    int came = 0;
    char text[3] = "";

    qio_net_listener_set_client_func(listener, count_and_answer, &came, forget);
    WANT(qio_channel_socket_connect_sync(guest, at, &error_abort) == 0);
    while (came == 0) {
        aio_poll(ctx, true);
    }
    WANT(came == 1 && qio_channel_read_all(QIO_CHANNEL(guest), text, 2, &error_abort) == 0);
    qio_net_listener_set_client_func(listener, NULL, NULL, NULL);
    WANT(came == -1 && strcmp(text, "hi") == 0);
    object_unref(OBJECT(guest));
    return NULL;
}

static const char *wait_for_one(QIONetListener *listener, SocketAddress *at)
{
    QIOChannelSocket *guest = qio_channel_socket_new(), *host;
    SocketAddress *peer;

    WANT(qio_channel_socket_connect_sync(guest, at, &error_abort) == 0);
    host = qio_net_listener_wait_client(listener);
    peer = qio_channel_socket_get_remote_address(host, &error_abort);
    WANT(peer->type == SOCKET_ADDRESS_TYPE_INET && strcmp(peer->u.inet.host, "127.0.0.1") == 0);
    qapi_free_SocketAddress(peer);
    object_unref(OBJECT(host));
    object_unref(OBJECT(guest));
    return NULL;
}

const char *net_listener_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    QIONetListener *listener = qio_net_listener_new();
    SocketAddress any = {.type = SOCKET_ADDRESS_TYPE_INET}, *at;
    QIOChannelSocket *second = qio_channel_socket_new();
    const char *wrong;

    qemu_set_current_aio_context(ctx);
    any.u.inet = (InetSocketAddress){.host = "127.0.0.1", .port = "0"};
    WANT(!qio_net_listener_is_connected(listener));
    WANT(qio_net_listener_open_sync(listener, &any, 1, &error_abort) == 0);
    WANT(qio_channel_socket_listen_sync(second, &any, 1, &error_abort) == 0);
    qio_net_listener_add(listener, second);
    WANT(listener->nsioc == 2 && qio_net_listener_is_connected(listener));
    at = qio_channel_socket_get_local_address(second, &error_abort);
    wrong = be_called(listener, ctx, at);
    wrong = wrong ? wrong : wait_for_one(listener, at);
    qio_net_listener_disconnect(listener);
    WANT(!qio_net_listener_is_connected(listener));
    WANT(qio_channel_socket_connect_sync(second, at, NULL) == -1);
    qapi_free_SocketAddress(at);
    object_unref(OBJECT(second));
    object_unref(OBJECT(listener));
    qemu_set_current_aio_context(NULL);
    aio_context_unref(ctx);
    return wrong;
}

/* ---- files and commands ---- */

static const char *use_a_command(void)
{
    const char *argv[] = {"cat", NULL};
    QIOChannelCommand *cat = qio_channel_command_new_spawn(argv, O_RDWR, &error_abort);
    QIOChannel *ioc = QIO_CHANNEL(cat);
    Error *err = NULL;
    char text[4] = "";

    WANT(QIO_CHANNEL_COMMAND(ioc) == cat);
    WANT(qio_channel_write_all(ioc, "meow", 4, &error_abort) == 0);
    WANT(qio_channel_shutdown(ioc, QIO_CHANNEL_SHUTDOWN_WRITE, &error_abort) == 0);
    WANT(qio_channel_read_all(ioc, text, 4, &error_abort) == 0 && memcmp(text, "meow", 4) == 0);
    WANT(qio_channel_close(ioc, &error_abort) == 0);
    object_unref(OBJECT(ioc));
    argv[0] = "/no/such/program";
    WANT(!qio_channel_command_new_spawn(argv, O_RDONLY, &err) && err);
    error_free(err);
    return NULL;
}

static const char *use_files(void)
{
    QIOChannelFile *zero = qio_channel_file_new_path("/dev/zero", O_RDONLY, 0, &error_abort);
    QIOChannelFile *again;
    Error *err = NULL;
    char text[3] = "xy";
    int fds[2];

    WANT(pipe(fds) == 0);
    again = qio_channel_file_new_dupfd(fds[1], &error_abort);
    close(fds[1]);
    WANT(qio_channel_write(QIO_CHANNEL(again), "ab", 2, &error_abort) == 2);
    object_unref(OBJECT(again));
    again = qio_channel_file_new_fd(fds[0]);
    WANT(qio_channel_read_all(QIO_CHANNEL(again), text, 2, &error_abort) == 0 && text[0] == 'a');
    object_unref(OBJECT(again));
    WANT(qio_channel_read(QIO_CHANNEL(zero), text, 2, &error_abort) == 2 && text[0] == 0);
    object_unref(object_ref(OBJECT(zero)));
    object_unref(OBJECT(zero));
    WANT(!qio_channel_file_new_dupfd(-1, &err) && err);
    error_free(err);
    return NULL;
}

static const char *use_flags(void)
{
    QIOChannelBuffer *bioc = QIO_CHANNEL_BUFFER(QIO_CHANNEL(qio_channel_buffer_new(4)));
    QIOChannelNull *nioc = QIO_CHANNEL_NULL(QIO_CHANNEL(qio_channel_null_new()));
    struct iovec iov = {(char[]){"ab"}, 2};
    size_t nfds = 7;
    int *fds;

    WANT(qio_channel_writev_full(QIO_CHANNEL(bioc), &iov, 1, NULL, 0, 0, &error_abort) == 2);
    WANT(qio_channel_io_seek(QIO_CHANNEL(bioc), 0, SEEK_SET, &error_abort) == 0);
    WANT(qio_channel_readv_full(QIO_CHANNEL(bioc), &iov, 1, &fds, &nfds, 0, &error_abort) == 2);
    WANT(nfds == 0 && !fds);
    WANT(qio_channel_readv_full_all_eof(nioc, &iov, 1, NULL, NULL, 0, &error_abort) == 0);
    object_unref(OBJECT(bioc));
    object_unref(OBJECT(nioc));
    return NULL;
}

const char *channel_kinds_2025(void)
{
    const char *wrong = use_a_command();

    wrong = wrong ? wrong : use_files();
    return wrong ? wrong : use_flags();
}
