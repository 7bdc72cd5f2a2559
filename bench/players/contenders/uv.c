/* SPDX-License-Identifier: MIT */
/* uv.c - libuv. */
#include <stdlib.h>
#include <uv.h>

#include "bench/players/bench.h"

struct user {
    struct callee callee;
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_timer_t timer;
    };
};

/* In the loop's thread an idle handle is cheaper than what other threads use. */
struct task {
    struct callee callee;
    uv_idle_t idle;
    uv_async_t async;
};

static const char *version(void)
{
    return uv_version_string();
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    (void)status;
    (void)events;
    callee_call(h->data);
}

static void on_timer(uv_timer_t *h)
{
    callee_call(h->data);
}

static void on_async(uv_async_t *h)
{
    callee_call(h->data);
}

static void *open_loop(const struct contender *who, const char **why)
{
    uv_loop_t *loop = malloc(sizeof(*loop));

    (void)who;
    (void)why;
    must(loop && uv_loop_init(loop) == 0);
    return loop;
}

static void close_loop(void *loop)
{
    uv_run(loop, UV_RUN_NOWAIT);
    uv_loop_close(loop);
    free(loop);
}

static void turn(void *loop, bool may_block)
{
    uv_run(loop, may_block ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

static void forget(uv_handle_t *handle)
{
    free(handle->data);
}

static void give_up(void *loop, void *user)
{
    struct user *u = user;

    (void)loop;
    uv_close(&u->handle, forget);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    must(uv_poll_init(loop, &u->poll, fd) == 0);
    u->poll.data = u;
    must(uv_poll_start(&u->poll, UV_READABLE, on_poll) == 0);
    return u;
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    must(uv_timer_init(loop, &u->timer) == 0);
    u->timer.data = u;
    return u;
}

/* Its clock counts milliseconds. */
static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    struct user *u = timer;

    (void)loop;
    must(uv_timer_start(&u->timer, on_timer, (uint64_t)(timeout_ns + 999999) / 1000000, 0) == 0);
}

static void timer_cancel(void *loop, void *timer)
{
    struct user *u = timer;

    (void)loop;
    uv_timer_stop(&u->timer);
}

static void on_idle(uv_idle_t *h)
{
    uv_idle_stop(h);
    callee_call(h->data);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    struct task *t = callee_new(sizeof(*t), fn, opaque);

    must(uv_idle_init(loop, &t->idle) == 0 && uv_async_init(loop, &t->async, on_async) == 0);
    t->idle.data = t;
    t->async.data = t;
    return t;
}

static void task_ask(void *loop, void *task)
{
    (void)loop;
    uv_idle_start(&((struct task *)task)->idle, on_idle);
}

static void task_ask_from_afar(void *loop, void *task)
{
    (void)loop;
    uv_async_send(&((struct task *)task)->async);
}

/* What is closed later is called back later. */
static void task_free(void *loop, void *task)
{
    struct task *t = task;

    (void)loop;
    uv_close((uv_handle_t *)&t->idle, NULL);
    uv_close((uv_handle_t *)&t->async, forget);
}

/* ---- two streams talk ---- */

struct talker {
    uv_pipe_t pipe;
    uv_write_t write;
    char buffer[65536];
    size_t bytes, heard;
    long left;
    bool is_first; /* the message is its own: the answer ends a round */
};

static void on_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *out)
{
    struct talker *t = handle->data;

    (void)wish;
    *out = uv_buf_init(t->buffer, sizeof(t->buffer));
}

static void say(struct talker *t)
{
    uv_buf_t buffer = uv_buf_init(t->buffer, (unsigned)t->bytes);

    t->left--;
    must(uv_write(&t->write, (uv_stream_t *)&t->pipe, &buffer, 1, NULL) == 0);
}

static void on_heard(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct talker *t = stream->data;

    (void)buffer;
    must(n >= 0);
    t->heard += (size_t)n;
    if (t->heard < t->bytes) {
        return;
    }
    t->heard = 0;
    if (t->left > 0) {
        say(t);
    } else if (t->is_first) {
        uv_stop(stream->loop);
    }
}

static void converse(void *loop, const int fd[2], long messages, size_t bytes)
{
    struct talker *talkers = calloc(2, sizeof(*talkers));

    must(talkers);
    for (int i = 0; i < 2; i++) {
        struct talker *t = &talkers[i];
        must(uv_pipe_init(loop, &t->pipe, 0) == 0 && uv_pipe_open(&t->pipe, fd[i]) == 0);
        t->pipe.data = t;
        t->bytes = bytes;
        t->left = messages;
        t->is_first = i == 0;
        must(uv_read_start((uv_stream_t *)&t->pipe, on_alloc, on_heard) == 0);
    }
    say(&talkers[0]);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&talkers[0].pipe, NULL);
    uv_close((uv_handle_t *)&talkers[1].pipe, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    free(talkers);
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(give_up),
    TIMER_OPS(give_up),
    TASK_OPS(task_free),
    .asks_at_home_only = true,
    .task_ask_from_afar = task_ask_from_afar,
    .converse = converse,
};

/* The way that is thread-safe, taken at home, too. */
static const struct loop_ops async_ops = {
    LOOP_OPS,
    .task_new = task_new,
    .task_ask = task_ask_from_afar,
    .task_free = task_free,
};

/* ---- its threads; there are as many as it likes, four unless the user says otherwise ---- */

struct job {
    uv_work_t work;
    bench_fn *run, *done;
    void *opaque;
};

static void *pool_open(const struct contender *who, int threads, const char **why)
{
    (void)threads;
    return open_loop(who, why);
}

static void pool_turn(void *pool)
{
    uv_run(pool, UV_RUN_ONCE);
}

static void *job_new(void *pool, bench_fn *run, bench_fn *done, void *opaque)
{
    struct job *j = calloc(1, sizeof(*j));

    (void)pool;
    must(j);
    j->run = run;
    j->done = done;
    j->opaque = opaque;
    j->work.data = j;
    return j;
}

static void on_work(uv_work_t *work)
{
    struct job *j = work->data;

    j->run(j->opaque);
}

static void on_worked(uv_work_t *work, int status)
{
    struct job *j = work->data;

    must(status == 0);
    j->done(j->opaque);
}

static void submit(void *pool, void *job)
{
    must(uv_queue_work(pool, &((struct job *)job)->work, on_work, on_worked) == 0);
}

static void free_it(void *loop, void *it)
{
    (void)loop;
    free(it);
}

static const struct pool_ops pool_ops = {pool_open, close_loop, pool_turn,
                                         job_new,   submit,     free_it};

/* ---- files, which its threads read ---- */

struct file {
    uv_loop_t *loop;
    int fd;
};

struct file_read {
    uv_fs_t request;
    uv_buf_t buffer;
    bench_fn *done;
    void *opaque;
};

static void *file_open(const struct contender *who, int fd, const char **why)
{
    struct file *f = malloc(sizeof(*f));

    must(f);
    *f = (struct file){open_loop(who, why), fd};
    return f;
}

static void file_close(void *file)
{
    close_loop(((struct file *)file)->loop);
    free(file);
}

static void file_turn(void *file)
{
    uv_run(((struct file *)file)->loop, UV_RUN_ONCE);
}

static void *read_new(void *file, void *buffer, size_t bytes, bench_fn *done, void *opaque)
{
    struct file_read *r = calloc(1, sizeof(*r));

    (void)file;
    must(r);
    r->buffer = uv_buf_init(buffer, (unsigned)bytes);
    r->done = done;
    r->opaque = opaque;
    r->request.data = r;
    return r;
}

static void on_read(uv_fs_t *request)
{
    struct file_read *r = request->data;

    must(request->result == (ssize_t)r->buffer.len);
    uv_fs_req_cleanup(request);
    r->done(r->opaque);
}

static void read_at(void *file, void *read, int64_t offset)
{
    struct file *f = file;
    struct file_read *r = read;

    must(uv_fs_read(f->loop, &r->request, f->fd, &r->buffer, 1, offset, on_read) == 0);
}

static const struct file_ops file_ops = {file_open, file_close, file_turn,
                                         read_new,  read_at,    free_it};

const struct contender libuv = {.name = "libuv",
                                .kind = PEER,
                                .version = version,
                                .loop = &ops,
                                .pool = &pool_ops,
                                .file = &file_ops};
const struct contender libuv_async = {
    .name = "libuv async", .kind = PEER, .version = version, .loop = &async_ops};
