/* SPDX-License-Identifier: MIT */
/* aiox_co.c - ours: coroutines, their locks, and what they do with sockets. */
#include <stdlib.h>
#include <unistd.h>

#include "aiox/aio_co.h"
#include "aiox/channel_socket.h"
#include "aiox/co_sync.h"

#include "aiox.h"

enum { MOST_BYTES = 65536 };

static const char *version(void)
{
    return AIOX_VERSION;
}

static void *create(bench_fn *fn, void *opaque)
{
    struct aiox_co *co;

    must(aiox_co_create(&co, NULL, fn, opaque) == 0);
    return co;
}

/* No wrappers, which cost a third of a switch: what is bare is called without one, too. */
static const struct co_ops co_ops = {create, (void (*)(void *))aiox_co_enter, aiox_co_yield};

/* ---- locks ---- */

struct lock_run {
    long times;
    struct aiox_co_queue queue;
};

static void mutex_pairs(void *opaque) coroutine_fn
{
    struct aiox_co_mutex mutex;

    aiox_co_mutex_init(&mutex);
    for (long left = ((struct lock_run *)opaque)->times; left > 0; left--) {
        aiox_co_mutex_lock(&mutex);
        aiox_co_mutex_unlock(&mutex);
    }
    aiox_co_mutex_fini(&mutex);
}

static void reader_pairs(void *opaque) coroutine_fn
{
    struct aiox_co_rwlock lock;

    aiox_co_rwlock_init(&lock);
    for (long left = ((struct lock_run *)opaque)->times; left > 0; left--) {
        aiox_co_rwlock_rdlock(&lock);
        aiox_co_rwlock_unlock(&lock);
    }
    aiox_co_rwlock_fini(&lock);
}

static void writer_pairs(void *opaque) coroutine_fn
{
    struct aiox_co_rwlock lock;

    aiox_co_rwlock_init(&lock);
    for (long left = ((struct lock_run *)opaque)->times; left > 0; left--) {
        aiox_co_rwlock_wrlock(&lock);
        aiox_co_rwlock_unlock(&lock);
    }
    aiox_co_rwlock_fini(&lock);
}

static void wait_often(void *opaque) coroutine_fn
{
    struct lock_run *run = opaque;

    for (long left = run->times; left > 0; left--) {
        aiox_co_queue_wait(&run->queue, NULL);
    }
}

static void in_coroutine(aiox_co_fn *fn, long times)
{
    struct lock_run run = {.times = times};

    aiox_co_enter(create(fn, &run));
}

static void mutex(long times)
{
    in_coroutine(mutex_pairs, times);
}

static void reader(long times)
{
    in_coroutine(reader_pairs, times);
}

static void writer(long times)
{
    in_coroutine(writer_pairs, times);
}

static void queue(long times)
{
    struct lock_run run = {.times = times};

    aiox_co_queue_init(&run.queue);
    aiox_co_enter(create(wait_often, &run));
    while (aiox_co_queue_next(&run.queue)) {
    }
}

static const struct lock_ops lock_ops = {mutex, reader, writer, queue};

/* ---- one coroutine for each connection ---- */

struct service {
    int fd;
    void *buffer;
    size_t bytes;
    long *serving;
};

static void serve(void *opaque) coroutine_fn
{
    struct service *s = opaque;
    ssize_t n;

    must(aiox_co_keep_fd(s->fd) == 0);
    while ((n = aiox_co_read(s->fd, s->buffer, s->bytes, -1)) > 0) {
        must(aiox_co_write_all(s->fd, s->buffer, (size_t)n, -1) == n);
    }
    aiox_co_release_fd(s->fd);
    --*s->serving;
    free(s);
}

void ours_serve(void *loop, int fd, void *buffer, size_t bytes, long *serving)
{
    struct service *s = malloc(sizeof(*s));

    must(s);
    *s = (struct service){fd, buffer, bytes, serving};
    aiox_co_enter_in(loop, create(serve, s));
}

/* ---- coroutines that let the loop turn ---- */

struct passing {
    struct aiox_context *ctx;
    long times;
    long passing; /* how many do */
};

static void pass_often(void *opaque) coroutine_fn
{
    struct passing *p = opaque;

    for (long left = p->times; left > 0; left--) {
        aiox_co_schedule(p->ctx, aiox_co_self());
        aiox_co_yield();
    }
    p->passing--;
}

void ours_pass(void *loop, long count, long times)
{
    struct passing p = {loop, times, count};

    for (long i = 0; i < count; i++) {
        aiox_co_enter_in(loop, create(pass_often, &p));
    }
    while (p.passing > 0) {
        aiox_poll(loop, true);
    }
}

/* ---- two coroutines talk through channels ---- */

struct conversation {
    struct aiox_channel *ch[2];
    long messages;
    size_t bytes;
    int talking;
};

/* Reads with room for more, as one who does not know what comes. */
static void hear(struct aiox_channel *ch, char *buffer, size_t bytes) coroutine_fn
{
    for (size_t done = 0; done < bytes;) {
        ssize_t n = aiox_channel_read(ch, buffer + done, MOST_BYTES - done, -1);
        must(n > 0);
        done += (size_t)n;
    }
}

static void answer(void *opaque) coroutine_fn
{
    struct conversation *c = opaque;
    static char buffer[MOST_BYTES];

    for (long i = 0; i < c->messages; i++) {
        hear(c->ch[1], buffer, c->bytes);
        must(aiox_channel_write_full(c->ch[1], buffer, c->bytes, -1) == 0);
    }
    c->talking--;
}

static void ask(void *opaque) coroutine_fn
{
    struct conversation *c = opaque;
    static char buffer[MOST_BYTES];

    for (long i = 0; i < c->messages; i++) {
        must(aiox_channel_write_full(c->ch[0], buffer, c->bytes, -1) == 0);
        hear(c->ch[0], buffer, c->bytes);
    }
    c->talking--;
}

void ours_converse(void *loop, const int fd[2], long messages, size_t bytes)
{
    struct conversation c = {.messages = messages, .bytes = bytes, .talking = 2};

    must(bytes <= MOST_BYTES);
    must(aiox_channel_socket_new(&c.ch[0], fd[0]) == 0);
    must(aiox_channel_socket_new(&c.ch[1], fd[1]) == 0);
    aiox_co_enter_in(loop, create(answer, &c));
    aiox_co_enter_in(loop, create(ask, &c));
    while (c.talking > 0) {
        aiox_poll(loop, true);
    }
    aiox_channel_unref(c.ch[0]);
    aiox_channel_unref(c.ch[1]);
}

const struct contender aiox_coroutine = {
    .name = "aiox coroutine", .kind = OURS, .version = version, .co = &co_ops, .locks = &lock_ops};
