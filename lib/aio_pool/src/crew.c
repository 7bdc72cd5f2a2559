/* SPDX-License-Identifier: MIT */
/*
 * crew.c - a queue of jobs, and threads that are as many as it takes.
 *
 * Everything is under one lock but the jobs themselves. Idle workers form a
 * stack and sleep each on a word of its own: the one that came last is called
 * first, so under little work the others sleep long enough to leave, and a call
 * wakes nobody else.
 *
 * The law of calls: while jobs wait, and an idle worker or room for a new
 * thread is there, one is on its way (is_calling). Only one at a time: it takes
 * a job and then calls the next, if jobs still wait. So a burst of jobs costs
 * its submitter one call, and if they are short no more threads come than have
 * something to do. Whoever changes what the law looks at asks find_help() before
 * it lets go of the lock, and sends the help afterwards.
 *
 *   worker->called   0; one of enum call, written by whoever has taken the
 *                    worker off the stack, under the lock. Its memory may be
 *                    gone when it is woken: see crew_wake_(). Orders nothing: the lock does.
 *
 *   [POOL-end]  leave (release) -> crew_fini_ (acquire): who was the last.
 */
#include "crew.h"

#include <errno.h>

#include "aiox/assert.h"
#include "aiox/clock.h"

#include "crew_wait.h"
#include "trace.h"

enum call { NOT_CALLED, CALLED_TO_WORK, CALLED_TO_LOOK };

struct worker {
    struct aiox_list_node link; /* crew->idle */
    aiox_atomic_u32 called;
};

struct help {
    struct worker *worker; /* that has been called and is to be woken */
    bool start;            /* a thread is to be started */
};

/* ---- calling for help ---- */

/* Takes @w off the stack. Locked. */
static void call(struct crew *c, struct worker *w, enum call what)
{
    aiox_list_remove(&w->link);
    c->idle_count--;
    aiox_u32_store_relaxed(&w->called, what);
}

/* What the law of calls asks for. Locked. */
static struct help find_help(struct crew *c, bool may_start)
{
    bool has_work = !aiox_list_is_empty(&c->waiting);
    struct help help = {NULL, false};

    if (c->is_calling || c->is_closing) {
        return help;
    }
    if (has_work && c->idle_count > 0) {
        help.worker = AIOX_CONTAINER_OF(aiox_list_first(&c->idle), struct worker, link);
        call(c, help.worker, CALLED_TO_WORK);
    } else if (may_start && (c->threads < c->min || (has_work && c->threads < c->max))) {
        help.start = true;
        c->threads++;
    }
    c->is_calling = help.worker || help.start;
    return help;
}

static void *work(void *opaque);

static void end(struct crew *c, struct aiox_list *jobs, int result)
{
    struct aiox_list_node *node;

    while ((node = aiox_list_pop_front(jobs)) != NULL) {
        struct aiox_pool_job *job = AIOX_CONTAINER_OF(node, struct aiox_pool_job, waiting_);

        job->result_ = result;
        c->ended(c->opaque, job);
    }
}

/* Locked. */
static void take_all_waiting(struct crew *c, struct aiox_list *jobs)
{
    AIOX_LIST_FOREACH(job, &c->waiting, struct aiox_pool_job, waiting_)
    {
        job->is_waiting_ = false;
    }
    aiox_list_splice_back(jobs, &c->waiting);
    c->waiting_count = 0;
}

/* Whoever is left goes on with what waits; if that is nobody, it ends with @err. */
static void do_without(struct crew *c, int err)
{
    struct aiox_list jobs;
    struct help help;

    aiox_list_init(&jobs);
    pthread_mutex_lock(&c->lock);
    c->is_calling = false;
    c->threads--;
    if (c->threads == 0) {
        take_all_waiting(c, &jobs);
    }
    help = find_help(c, false);
    pthread_mutex_unlock(&c->lock);
    if (help.worker) {
        crew_wake_(&help.worker->called);
    }
    end(c, &jobs, err);
}

/* Not locked. 0, or why no thread could be started. */
static int send(struct crew *c, struct help help)
{
    int err = 0;

    if (help.worker) {
        crew_wake_(&help.worker->called);
    }
    if (help.start) {
        err = c->from->start(work, c);
    }
    if (err < 0) {
        TRACE_START_FAILED(c, -err);
        do_without(c, err);
    }
    return err;
}

/* Every idle worker looks again at how long it may stay. Locked. */
static void call_all_to_look(struct crew *c)
{
    struct aiox_list_node *node;

    while ((node = aiox_list_first(&c->idle)) != NULL) {
        struct worker *w = AIOX_CONTAINER_OF(node, struct worker, link);

        call(c, w, CALLED_TO_LOOK);
        crew_wake_(&w->called);
    }
}

/* ---- a worker ---- */

/* Locked. */
static struct aiox_pool_job *take_job(struct crew *c)
{
    struct aiox_list_node *node = aiox_list_pop_front(&c->waiting);
    struct aiox_pool_job *job;

    if (!node) {
        return NULL;
    }
    job = AIOX_CONTAINER_OF(node, struct aiox_pool_job, waiting_);
    c->waiting_count--;
    job->is_waiting_ = false;
    return job;
}

/* Locked, but not while it runs. */
static void do_job(struct crew *c, struct aiox_pool_job *job)
{
    struct help help = find_help(c, true);

    pthread_mutex_unlock(&c->lock);
    (void)send(c, help);
    TRACE_RUN(c, job);
    job->result_ = job->run(job->opaque);
    c->ended(c->opaque, job);
    pthread_mutex_lock(&c->lock);
}

static uint32_t sleep_until_called(struct worker *self, int64_t timeout_ns)
{
    int64_t end_ns = timeout_ns < 0 ? -1 : aiox_clock_now_ns() + timeout_ns;
    int64_t left_ns = timeout_ns;
    uint32_t called;

    while ((called = aiox_u32_load_relaxed(&self->called)) == NOT_CALLED &&
           (end_ns < 0 || left_ns > 0)) {
        crew_wait_(&self->called, NOT_CALLED, left_ns);
        left_ns = end_ns < 0 ? -1 : end_ns - aiox_clock_now_ns();
    }
    return called;
}

/* Without work. Returns false if it is time to leave. Locked, but not while it sleeps. */
static bool rest(struct crew *c, struct worker *self)
{
    int64_t timeout_ns = c->threads > c->min ? c->idle_ns : -1;
    struct help help = find_help(c, true);

    aiox_u32_store_relaxed(&self->called, NOT_CALLED);
    aiox_list_push_front(&c->idle, &self->link);
    c->idle_count++;
    pthread_mutex_unlock(&c->lock);
    (void)send(c, help);
    (void)sleep_until_called(self, timeout_ns);
    pthread_mutex_lock(&c->lock);
    if (!aiox_list_is_linked(&self->link)) {
        c->is_calling &= aiox_u32_load_relaxed(&self->called) != CALLED_TO_WORK;
        return true;
    }
    aiox_list_remove(&self->link);
    c->idle_count--;
    return c->threads <= c->min;
}

/* Locked; not any more when it returns. Each joins the one that left before it. */
static void leave(struct crew *c)
{
    bool is_first = !c->has_left;
    pthread_t before = c->left;
    struct help help;

    AIOX_PLAIN_WRITE(&c->left);
    c->left = pthread_self();
    c->has_left = true;
    c->threads--;
    help = find_help(c, true);
    if (c->is_closing && c->threads == 0) {
        aiox_u32_store_release(&c->all_left, 1); /* [POOL-end] */
    }
    TRACE_LEAVE(c, c->threads);
    pthread_mutex_unlock(&c->lock);
    crew_wake_(&c->all_left);
    (void)send(c, help);
    if (!is_first) {
        c->from->join(before);
    }
}

static void *work(void *opaque)
{
    struct crew *c = opaque;
    struct worker self = {.link = {NULL, NULL}};
    bool stays = true;

    c->from->begin();
    pthread_mutex_lock(&c->lock);
    c->is_calling = false;
    TRACE_COME(c, c->threads);
    while (stays && !c->is_closing && c->threads <= c->max) {
        struct aiox_pool_job *job = take_job(c);

        if (job) {
            do_job(c, job);
        } else {
            stays = rest(c, &self);
        }
    }
    leave(c);
    return NULL;
}

/* ---- the crew ---- */

void crew_init_(struct crew *c, const struct crew_threads *from,
                void (*ended)(void *opaque, struct aiox_pool_job *job), void *opaque)
{
    *c = (struct crew){
        .max = AIOX_POOL_MAX_THREADS_DEFAULT,
        .idle_ns = AIOX_POOL_IDLE_NS_DEFAULT,
        .from = from,
        .ended = ended,
        .opaque = opaque,
    };
    pthread_mutex_init(&c->lock, NULL);
    aiox_list_init(&c->waiting);
    aiox_list_init(&c->idle);
}

void crew_fini_(struct crew *c)
{
    struct aiox_list jobs;

    aiox_list_init(&jobs);
    pthread_mutex_lock(&c->lock);
    c->is_closing = true;
    take_all_waiting(c, &jobs);
    call_all_to_look(c);
    aiox_u32_store_relaxed(&c->all_left, c->threads == 0);
    pthread_mutex_unlock(&c->lock);
    while (aiox_u32_load_acquire(&c->all_left) == 0) { /* [POOL-end] */
        crew_wait_(&c->all_left, 0, -1);
    }
    AIOX_PLAIN_READ(&c->left);
    if (c->has_left) {
        c->from->join(c->left);
    }
    end(c, &jobs, -ECANCELED);
    pthread_mutex_destroy(&c->lock);
}

void crew_submit_(struct crew *c, struct aiox_pool_job *job)
{
    struct help help;

    pthread_mutex_lock(&c->lock);
    aiox_assert(!c->is_closing);
    job->is_waiting_ = true;
    aiox_list_push_back(&c->waiting, &job->waiting_);
    c->waiting_count++;
    help = find_help(c, true);
    pthread_mutex_unlock(&c->lock);
    (void)send(c, help);
}

bool crew_cancel_(struct crew *c, struct aiox_pool_job *job)
{
    struct aiox_list jobs;

    aiox_list_init(&jobs);
    pthread_mutex_lock(&c->lock);
    if (job->is_waiting_) {
        job->is_waiting_ = false;
        aiox_list_remove(&job->waiting_);
        aiox_list_push_back(&jobs, &job->waiting_);
        c->waiting_count--;
    }
    pthread_mutex_unlock(&c->lock);
    if (aiox_list_is_empty(&jobs)) {
        return false;
    }
    end(c, &jobs, -ECANCELED);
    return true;
}

int crew_set_threads_(struct crew *c, int min, int max)
{
    struct help help;

    pthread_mutex_lock(&c->lock);
    c->min = min;
    c->max = max;
    help = find_help(c, true);
    call_all_to_look(c);
    pthread_mutex_unlock(&c->lock);
    return send(c, help);
}

void crew_set_idle_ns_(struct crew *c, int64_t idle_ns)
{
    pthread_mutex_lock(&c->lock);
    c->idle_ns = idle_ns;
    call_all_to_look(c);
    pthread_mutex_unlock(&c->lock);
}

void crew_get_info_(struct crew *c, struct aiox_pool_info *out)
{
    pthread_mutex_lock(&c->lock);
    out->min = c->min;
    out->max = c->max;
    out->threads = c->threads;
    out->idle = c->idle_count;
    out->waiting = c->waiting_count;
    pthread_mutex_unlock(&c->lock);
}
