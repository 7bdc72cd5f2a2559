/* SPDX-License-Identifier: MIT */
/*
 * resolve.c - addresses of the system for ours; names without blocking a loop.
 *
 * A number is understood at once. A name may take seconds: for a coroutine, a
 * thread looks it up and rings an eventfd. Whoever of the two is done with the
 * record last frees it, so a coroutine can give up.
 */
#define _GNU_SOURCE
#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* needs sys/socket.h */

#include "aiox/aio_co.h"
#include "aiox/assert.h"

#include "trace.h"

int address_say_(struct aiox_error *err, int code, const char *what,
                 const struct aiox_socket_address *a)
{
    char text[AIOX_SOCKET_TEXT_MAX_BYTES];

    if (code < 0) {
        aiox_error_set(err, code, "cannot %s %.150s: %s", what,
                       aiox_socket_address_print(a, text, sizeof(text)), aiox_error_text(code));
    }
    return code;
}

/* ---- what needs no question ---- */

static void resolve_unix(struct resolved *out, const struct aiox_socket_address *a)
{
    struct sockaddr_un *sun = (void *)&out->at[0].sa;
    size_t bytes = strlen(a->path);
    bool is_abstract = a->kind == AIOX_SOCKET_UNIX_ABSTRACT;

    sun->sun_family = AF_UNIX;
    memcpy(sun->sun_path + is_abstract, a->path, bytes);
    /* The 0 at the end of a path counts, one at the end of a name would be part of it. */
    out->at[0].bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + 1);
    out->count = 1;
}

static void resolve_vsock(struct resolved *out, const struct aiox_socket_address *a)
{
    struct sockaddr_vm *vm = (void *)&out->at[0].sa;

    vm->svm_family = AF_VSOCK;
    vm->svm_cid = a->cid;
    vm->svm_port = a->vsock_port;
    out->at[0].bytes = sizeof(*vm);
    out->count = 1;
}

/* ---- the system's question and answer ---- */

static int code_of(int eai, int saved_errno)
{
    switch (eai) {
    case 0:
        return 0;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return saved_errno ? -saved_errno : -EIO;
    case EAI_AGAIN:
        return -EHOSTUNREACH;
    default:
        return -ENOENT;
    }
}

static void take(struct resolved *out, const struct addrinfo *list)
{
    for (; list && out->count < RESOLVED_MAX; list = list->ai_next) {
        memcpy(&out->at[out->count].sa, list->ai_addr, list->ai_addrlen);
        out->at[out->count].bytes = list->ai_addrlen;
        out->count++;
    }
}

/* @flags of addrinfo(3). */
static int ask(struct resolved *out, const struct aiox_socket_address *a, int family, int flags)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    int code;

    errno = 0;
    code = code_of(getaddrinfo(a->host[0] ? a->host : NULL, a->port, &hints, &list), errno);
    if (code == 0) {
        take(out, list);
        freeaddrinfo(list);
    }
    return code;
}

/* IPv6 comes first where every address is meant: it takes IPv4, too. */
static int ask_in_order(struct resolved *out, const struct aiox_socket_address *a, bool passive,
                        int flags)
{
    int code;

    if (!passive || a->host[0]) {
        return ask(out, a, AF_UNSPEC, flags);
    }
    code = ask(out, a, AF_INET6, flags | AI_PASSIVE);
    if (code == -ENOMEM) {
        return code;
    }
    code = ask(out, a, AF_INET, flags | AI_PASSIVE);
    return out->count > 0 ? 0 : code;
}

/* ---- in another thread ---- */

struct lookup {
    aiox_atomic_u32 holders;
    int done_fd;
    struct aiox_socket_address name;
    bool passive;
    int code;
    struct resolved found;
};

static struct lookup *new_lookup(const struct aiox_socket_address *a, bool passive)
{
    struct lookup *l = calloc(1, sizeof(*l));

    if (!l) {
        return NULL;
    }
    l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->done_fd < 0) {
        free(l);
        return NULL;
    }
    l->holders = (aiox_atomic_u32)AIOX_ATOMIC_INIT(2);
    l->name = *a;
    l->passive = passive;
    return l;
}

/* [CHANNEL-lookup] put (acq_rel) -> the last put (acq_rel): the other is done with the record. */
static void put_lookup(struct lookup *l, uint32_t holds)
{
    if (aiox_u32_sub_acq_rel(&l->holders, holds) == holds) { /* [CHANNEL-lookup] */
        close(l->done_fd);
        free(l);
    }
}

static void *look_up(void *opaque)
{
    struct lookup *l = opaque;

    l->code = ask_in_order(&l->found, &l->name, l->passive, 0);
    (void)eventfd_write(l->done_fd, 1);
    put_lookup(l, 1);
    return NULL;
}

/* Signals are for the program's own threads. */
static int start(pthread_t *thread, struct lookup *l)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(thread, NULL, look_up, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -err;
}

static int ask_thread(struct resolved *out, const struct aiox_socket_address *a, bool passive,
                      struct descriptor *d, int64_t deadline_ns)
{
    struct lookup *l = new_lookup(a, passive);
    pthread_t thread;
    int code;

    if (!l) {
        return -ENOMEM;
    }
    code = start(&thread, l);
    if (code < 0) {
        put_lookup(l, 2);
        return code;
    }
    descriptor_take_(d, l->done_fd);
    code = descriptor_wait_(d, true, AIOX_FD_READ, deadline_ns);
    (void)descriptor_let_go_(d);
    if (code < 0) {
        pthread_detach(thread);
    } else {
        pthread_join(thread, NULL);
        *out = l->found;
        code = l->code;
    }
    put_lookup(l, 1);
    return code;
}

static int resolve_tcp(struct resolved *out, const struct aiox_socket_address *a, bool passive,
                       struct descriptor *d, int64_t deadline_ns)
{
    int code = ask_in_order(out, a, passive, AI_NUMERICHOST | AI_NUMERICSERV);
    bool by_thread;

    if (code != -ENOENT) {
        return code;
    }
    by_thread = aiox_in_coroutine() && aiox_co_context(aiox_co_self());
    code =
        by_thread ? ask_thread(out, a, passive, d, deadline_ns) : ask_in_order(out, a, passive, 0);
    AIOX_TRACE(channel, lookup, by_thread, code < 0 ? code : out->count);
    return code;
}

int resolve_(struct resolved *out, const struct aiox_socket_address *a, bool passive,
             struct descriptor *d, int64_t deadline_ns, struct aiox_error *err)
{
    int code = 0;

    memset(out, 0, sizeof(*out));
    switch (a->kind) {
    case AIOX_SOCKET_TCP:
        code = resolve_tcp(out, a, passive, d, deadline_ns);
        break;
    case AIOX_SOCKET_UNIX:
    case AIOX_SOCKET_UNIX_ABSTRACT:
        resolve_unix(out, a);
        break;
    case AIOX_SOCKET_VSOCK:
        resolve_vsock(out, a);
        break;
    default:
        aiox_panic("an address of kind %d is looked up", (int)a->kind);
    }
    return address_say_(err, code, "look up", a);
}
