/* SPDX-License-Identifier: MIT */
/*
 * bare_pool.c - what a program without a library would write: a list under a
 * lock, a futex word that idle threads sleep on, an eventfd and epoll for the
 * way back.
 */
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/players/bench.h"

enum { MOST_THREADS = 16 };

struct job {
    struct job *next;
    bench_fn *run, *done;
    void *opaque;
};

struct pool {
    pthread_mutex_t lock;
    struct job *first, *last;
    atomic_uint word; /* changes with every job that somebody may sleep through */
    int idle;
    bool is_over;
    pthread_mutex_t done_lock;
    struct job *done;
    int event_fd, epoll_fd;
    int count;
    pthread_t threads[MOST_THREADS];
};

static const char *version(void)
{
    return "futex";
}

static void futex(atomic_uint *word, int op, unsigned value)
{
    syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void submit(void *pool, void *job)
{
    struct pool *p = pool;
    struct job *j = job;
    bool is_wake;

    j->next = NULL;
    pthread_mutex_lock(&p->lock);
    if (p->first) {
        p->last->next = j;
    } else {
        p->first = j;
    }
    p->last = j;
    is_wake = p->idle > 0;
    atomic_fetch_add_explicit(&p->word, 1, memory_order_release);
    pthread_mutex_unlock(&p->lock);
    if (is_wake) {
        futex(&p->word, FUTEX_WAKE, 1);
    }
}

static struct job *take(struct pool *p)
{
    struct job *job;

    pthread_mutex_lock(&p->lock);
    while (!p->first && !p->is_over) {
        unsigned seen = atomic_load_explicit(&p->word, memory_order_relaxed);

        p->idle++;
        pthread_mutex_unlock(&p->lock);
        futex(&p->word, FUTEX_WAIT, seen);
        pthread_mutex_lock(&p->lock);
        p->idle--;
    }
    job = p->first;
    if (job) {
        p->first = job->next;
    }
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void *work(void *opaque)
{
    struct pool *p = opaque;
    struct job *job;

    while ((job = take(p)) != NULL) {
        bool is_first;

        job->run(job->opaque);
        pthread_mutex_lock(&p->done_lock);
        is_first = !p->done;
        job->next = p->done;
        p->done = job;
        pthread_mutex_unlock(&p->done_lock);
        if (is_first) {
            eventfd_write(p->event_fd, 1);
        }
    }
    return NULL;
}

static void turn(void *pool)
{
    struct pool *p = pool;
    struct epoll_event event;
    struct job *done;
    eventfd_t value;

    if (epoll_wait(p->epoll_fd, &event, 1, -1) == 1) {
        eventfd_read(p->event_fd, &value);
    }
    pthread_mutex_lock(&p->done_lock);
    done = p->done;
    p->done = NULL;
    pthread_mutex_unlock(&p->done_lock);
    while (done) {
        struct job *next = done->next;

        done->done(done->opaque);
        done = next;
    }
}

static void *open_pool(const struct contender *who, int threads, const char **why)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct pool *p = calloc(1, sizeof(*p));

    (void)who;
    (void)why;
    must(p && threads <= MOST_THREADS);
    p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    must(epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->event_fd, &event) == 0);
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->done_lock, NULL);
    while (p->count < threads) {
        must(pthread_create(&p->threads[p->count++], NULL, work, p) == 0);
    }
    return p;
}

static void close_pool(void *pool)
{
    struct pool *p = pool;

    pthread_mutex_lock(&p->lock);
    p->is_over = true;
    atomic_fetch_add_explicit(&p->word, 1, memory_order_release);
    pthread_mutex_unlock(&p->lock);
    futex(&p->word, FUTEX_WAKE, INT_MAX);
    for (int i = 0; i < p->count; i++) {
        pthread_join(p->threads[i], NULL);
    }
    close(p->event_fd);
    close(p->epoll_fd);
    free(p);
}

static void *job_new(void *pool, bench_fn *run, bench_fn *done, void *opaque)
{
    struct job *j = malloc(sizeof(*j));

    (void)pool;
    must(j);
    *j = (struct job){NULL, run, done, opaque};
    return j;
}

static void job_free(void *pool, void *job)
{
    (void)pool;
    free(job);
}

static const struct pool_ops ops = {open_pool, close_pool, turn, job_new, submit, job_free};

const struct contender bare_pool = {
    .name = "bare queue", .kind = LIMIT, .version = version, .pool = &ops};
