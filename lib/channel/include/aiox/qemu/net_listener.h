/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/net_listener.h - the original's set of listeners.
 *
 * Different on purpose: who comes is reported in the context of the thread that calls
 * qio_net_listener_set_client_func(), by its turns, and not by GLib's main loop (the
 * context can be a guest there: aiox/qemu/aio_glib.h). All calls are made in that thread.
 */
#ifndef AIOX_QEMU_NET_LISTENER_H_
#define AIOX_QEMU_NET_LISTENER_H_

#include <poll.h>

#include "aiox/channel_ops.h"
#include "aiox/qemu/channel_socket.h"

AIOX_BEGIN_DECLS

typedef struct QIONetListener QIONetListener;

typedef void (*QIONetListenerClientFunc)(QIONetListener *listener, QIOChannelSocket *sioc,
                                         void *data);

/* Not an original name: one of its sockets. */
struct aiox_qemu_listening_ {
    QIOChannelSocket *sioc;
    QIONetListener *listener;
};

/* An object: object_ref(), object_unref(). Of the fields, nsioc and connected are the user's to
 * read. */
struct QIONetListener {
    struct aiox_channel base_; /* for its references */
    struct aiox_qemu_listening_ **listening_;
    size_t nsioc;
    bool connected;
    struct aiox_context *ctx_;
    QIONetListenerClientFunc io_func_;
    void *io_data_;
    void (*io_notify_)(void *data);
};

/* ---- not original names: what a channel must have ---- */

static inline int aiox_qemu_no_wait_(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    (void)ch;
    (void)events;
    (void)deadline_ns;
    return -EOPNOTSUPP;
}

static inline void aiox_qemu_unwatch_(QIONetListener *listener)
{
    for (size_t i = 0; listener->ctx_ && i < listener->nsioc; i++) {
        int fd = aiox_channel_socket_fd(listener->listening_[i]->sioc);

        if (fd >= 0) {
            aiox_clear_fd_handler(listener->ctx_, fd);
        }
    }
    aiox_context_unref(listener->ctx_);
    listener->ctx_ = NULL;
}

static inline void aiox_qemu_forget_client_func_(QIONetListener *listener)
{
    aiox_qemu_unwatch_(listener);
    if (listener->io_notify_) {
        listener->io_notify_(listener->io_data_);
    }
    listener->io_func_ = NULL;
    listener->io_notify_ = NULL;
}

static inline int aiox_qemu_close_listener_(struct aiox_channel *ch)
{
    QIONetListener *listener = (QIONetListener *)(void *)ch;

    aiox_qemu_forget_client_func_(listener);
    for (size_t i = 0; i < listener->nsioc; i++) {
        aiox_channel_unref(listener->listening_[i]->sioc);
        free(listener->listening_[i]);
    }
    free(listener->listening_);
    listener->nsioc = 0;
    return 0;
}

static inline void aiox_qemu_free_listener_(struct aiox_channel *ch)
{
    free(ch);
}

/* ---- life ---- */

/* Without a socket. Aborts if there is no memory. */
static inline QIONetListener *qio_net_listener_new(void)
{
    static const struct aiox_channel_ops ops = {
        "net_listener",
        NULL,
        NULL,
        aiox_qemu_no_wait_,
        NULL,
        NULL,
        NULL,
        aiox_qemu_close_listener_,
        aiox_qemu_free_listener_,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
    };
    QIONetListener *listener = (QIONetListener *)calloc(1, sizeof(*listener));

    aiox_assert(listener);
    aiox_channel_init(&listener->base_, &ops, 0);
    return listener;
}

/* Nobody hears of the name. */
static inline void qio_net_listener_set_name(QIONetListener *listener, const char *name)
{
    (void)listener;
    (void)name;
}

static inline bool qio_net_listener_is_connected(QIONetListener *listener)
{
    return listener->connected;
}

/* ---- who comes ---- */

/* Not an original name: a socket has become readable. */
static inline void aiox_qemu_incoming_(void *opaque)
{
    struct aiox_qemu_listening_ *l = (struct aiox_qemu_listening_ *)opaque;
    QIONetListener *listener = l->listener;
    QIOChannelSocket *sioc = NULL;

    if (aiox_channel_accept(l->sioc, &sioc, 0)) {
        return; /* who came has gone, or there is no room: it is told again */
    }
    aiox_channel_ref(&listener->base_); /* the function may drop it */
    listener->io_func_(listener, sioc, listener->io_data_);
    aiox_channel_unref(sioc);
    aiox_channel_unref(&listener->base_);
}

/* Not an original name. Aborts, with the reason, where a socket cannot be watched. */
static inline void aiox_qemu_watch_listening_(struct aiox_qemu_listening_ *l)
{
    int fd = aiox_channel_socket_fd(l->sioc);
    struct aiox_fd_handler h;
    int err;

    memset(&h, 0, sizeof(h));
    h.read = aiox_qemu_incoming_;
    err = fd < 0 ? 0 : aiox_set_fd_handler(l->listener->ctx_, fd, &h, l);
    if (err) {
        aiox_panic("cannot watch a listener: %s", aiox_error_text(err));
    }
}

/*
 * @func(@listener, sioc, @data) is called for each who comes, inside a turn of this thread's
 * context; it takes a reference of sioc to keep it. NULL as @func: nobody is told any more.
 * @notify(@data) is called when @data is of no use any more. NULL: nothing is.
 */
static inline void qio_net_listener_set_client_func(QIONetListener *listener,
                                                    QIONetListenerClientFunc func, void *data,
                                                    void (*notify)(void *data))
{
    aiox_qemu_forget_client_func_(listener);
    listener->io_func_ = func;
    listener->io_data_ = data;
    listener->io_notify_ = notify;
    if (!func) {
        return;
    }
    aiox_assert(aiox_context_current());
    listener->ctx_ = aiox_context_ref(aiox_context_current());
    for (size_t i = 0; i < listener->nsioc; i++) {
        aiox_qemu_watch_listening_(listener->listening_[i]);
    }
}

/* Not an original name: waits until one of the sockets has somebody, or all are closed. */
static inline void aiox_qemu_wait_for_one_(QIONetListener *listener)
{
    struct pollfd *fds = (struct pollfd *)calloc(listener->nsioc, sizeof(*fds));

    aiox_assert(fds || listener->nsioc == 0);
    for (size_t i = 0; i < listener->nsioc; i++) {
        fds[i].fd = aiox_channel_socket_fd(listener->listening_[i]->sioc);
        fds[i].events = POLLIN;
    }
    (void)poll(fds, listener->nsioc, -1);
    free(fds);
}

/* The next who comes, in a thread that waits for it. There is a socket. */
static inline QIOChannelSocket *qio_net_listener_wait_client(QIONetListener *listener)
{
    QIOChannelSocket *sioc = NULL;

    aiox_assert(listener->connected && listener->nsioc > 0);
    for (;;) {
        for (size_t i = 0; i < listener->nsioc; i++) {
            if (aiox_channel_accept(listener->listening_[i]->sioc, &sioc, 0) == 0) {
                return sioc;
            }
        }
        aiox_qemu_wait_for_one_(listener);
    }
}

/* ---- its sockets ---- */

/* @sioc listens; @listener takes a reference. */
static inline void qio_net_listener_add(QIONetListener *listener, QIOChannelSocket *sioc)
{
    size_t bytes = (listener->nsioc + 1) * sizeof(*listener->listening_);
    struct aiox_qemu_listening_ *l = (struct aiox_qemu_listening_ *)calloc(1, sizeof(*l));

    listener->listening_ = (struct aiox_qemu_listening_ **)realloc(listener->listening_, bytes);
    aiox_assert(l && listener->listening_);
    l->sioc = aiox_channel_ref(sioc);
    l->listener = listener;
    listener->listening_[listener->nsioc++] = l;
    listener->connected = true;
    if (listener->ctx_) {
        aiox_qemu_watch_listening_(l);
    }
}

/* Not an original name: 0, or -1 and an Error. */
static inline int aiox_qemu_open_sync_(QIONetListener *listener, SocketAddress *addr, int num,
                                       Error **errp)
{
    QIOChannelSocket *sioc = qio_channel_socket_new();
    int err = aiox_qemu_listen_sync_(sioc, addr, num, errp);

    if (!err) {
        qio_net_listener_add(listener, sioc);
    }
    aiox_channel_unref(sioc);
    return err;
}

#if AIOX_QEMU_API >= 2019

static inline int qio_net_listener_open_sync(QIONetListener *listener, SocketAddress *addr, int num,
                                             Error **errp)
{
    return aiox_qemu_open_sync_(listener, addr, num, errp);
}

#else

static inline int qio_net_listener_open_sync(QIONetListener *listener, SocketAddress *addr,
                                             Error **errp)
{
    return aiox_qemu_open_sync_(listener, addr, 1, errp);
}

#endif

/* Nobody comes any more: closes the sockets. */
static inline void qio_net_listener_disconnect(QIONetListener *listener)
{
    aiox_qemu_unwatch_(listener);
    for (size_t i = 0; i < listener->nsioc; i++) {
        aiox_channel_close(listener->listening_[i]->sioc);
    }
    listener->connected = false;
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_NET_LISTENER_H_ */
