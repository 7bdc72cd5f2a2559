/* SPDX-License-Identifier: MIT */
/*
 * mutex.c - one holder, who hands over to the next.
 *
 * Who finds the mutex held pushes its record, which lies in its frame, onto a
 * stack whose head is the mutex's word: to announce oneself and to queue is one
 * step. Whoever is on duty turns that stack round into the line. So those who
 * wait are served in the order in which they came; who finds the mutex free
 * takes it.
 *
 * word_
 *   FREE     nobody holds it, nobody waits.
 *   HELD     held; nobody waits.
 *   QUEUED   held; there may be somebody in the line.
 *   else     held; the newest record. Each points to the one below, the lowest
 *            to what the word was (HELD or QUEUED).
 * FREE becomes HELD by whoever locks; HELD becomes FREE by whoever holds it. A
 * record is pushed by anybody, and taken off by who is on duty alone.
 *
 * duty_
 *   The line belongs to whoever is on duty: who turned this word from NULL into
 *   ON_DUTY, until it turns it back. Nobody waits for that. A wish is written
 *   into the word, and if somebody is on duty, it is theirs to fulfil before
 *   they go. There are two wishes: HAND_OVER of a holder that unlocks, and a
 *   list of waiters whose deadline has come.
 *   HAND_OVER: whoever sees it holds the mutex now, with the duty to give it to
 *   the first in the line, or to let it go.
 *
 * Whoever has been chosen, or has left, is woken when nothing more is done with
 * the mutex: it may free it.
 *
 * The deadline. A waiter that is LEAVING stays in the line until somebody on
 * duty has seen its wish, took it out and wakes it. That never takes longer than
 * a few steps of some thread; it does not wait for the holder.
 *
 *   [COMUTEX-free]  unlock, let_go (release) -> try_take (acquire): what the
 *                   holder did.
 *   [COMUTEX-push]  push_or_take (release) -> take_newcomers (acquire): the
 *                   record.
 *   [COMUTEX-duty]  wish, go_off_duty (release) -> begin_round (acquire):
 *                   the line, and what a holder did that lets others hand over.
 */
#include <errno.h>

#include "aiox/assert.h"

#include "seam.h"
#include "waiter.h"

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED
#define ROUNDS 2 /* more show nothing new to an explorer */
#else
#define ROUNDS 1000
#endif

#define FREE NULL
#define HELD ((void *)1)
#define QUEUED ((void *)3)

enum {
    ON_DUTY = 1,
    HAND_OVER = 2,
};

struct mutex_waiter {
    struct aiox_co_waiter_ waiter; /* first: see too_late() */
    struct aiox_co_mutex *mutex;
    void *below;                      /* on the stack: the word before */
    struct mutex_waiter *next_leaver; /* in the list of wishes */
};

/* What one stint on duty has to do, and leaves behind. */
struct duty {
    uintptr_t wishes;
    bool holds; /* the mutex is ours to give away */
    struct aiox_list to_wake;
};

/* ---- the word ---- */

static bool try_take(struct aiox_co_mutex *m)
{
    void *was = FREE;

    return aiox_ptr_cas_acquire(&m->word_, &was, HELD); /* [COMUTEX-free] */
}

/* Returns whether it has taken the mutex; else it is queued. */
static bool push_or_take(struct aiox_co_mutex *m, struct mutex_waiter *w)
{
    void *was = aiox_ptr_load_relaxed(&m->word_);

    for (;;) {
        co_seam_(SEAM_ABOUT_TO_QUEUE);
        if (was == FREE) {
            if (aiox_ptr_cas_acquire(&m->word_, &was, HELD)) { /* [COMUTEX-free] */
                return true;
            }
        } else {
            AIOX_PLAIN_WRITE(&w->below);
            w->below = was;
            if (aiox_ptr_cas_release(&m->word_, &was, w)) { /* [COMUTEX-push] */
                return false;
            }
        }
    }
}

/* Lets the mutex go if nobody waits. */
static bool let_go(struct aiox_co_mutex *m)
{
    void *was = HELD;

    return aiox_ptr_cas_release(&m->word_, &was, FREE); /* [COMUTEX-free] */
}

static void set_holder(struct aiox_co_mutex *m, struct aiox_co *co)
{
    aiox_ptr_store_relaxed(&m->holder_, co);
    aiox_ptr_store_relaxed(&m->executor_, co->executor);
}

/* ---- on duty ---- */

/* Adds HAND_OVER, or @leaver, to the wishes. Returns whether the caller is on duty now. */
static bool wish(struct aiox_co_mutex *m, struct mutex_waiter *leaver)
{
    void *was = aiox_ptr_load_relaxed(&m->duty_);
    uintptr_t wishes;

    do {
        wishes = (uintptr_t)was | ON_DUTY;
        if (leaver) {
            leaver->next_leaver = (void *)((uintptr_t)was & ~(uintptr_t)(ON_DUTY | HAND_OVER));
            wishes = (wishes & (ON_DUTY | HAND_OVER)) | (uintptr_t)leaver;
        } else {
            wishes |= HAND_OVER;
        }
    } while (!aiox_ptr_cas_release(&m->duty_, &was, (void *)wishes)); /* [COMUTEX-duty] */
    return !((uintptr_t)was & ON_DUTY);
}

/* Puts who has come lately behind the line, in the order in which they came. */
static void take_newcomers(struct aiox_co_mutex *m)
{
    void *word = aiox_ptr_load_relaxed(&m->word_);
    struct aiox_list_node *where = &ring_of_(&m->waiting_)->head_;

    AIOX_PLAIN_WRITE(&m->waiting_);
    if ((uintptr_t)word <= (uintptr_t)QUEUED) {
        return;
    }
    word = aiox_ptr_swap_acquire(&m->word_, QUEUED); /* [COMUTEX-push] */
    while ((uintptr_t)word > (uintptr_t)QUEUED) {
        struct mutex_waiter *w = word;

        AIOX_PLAIN_READ(&w->below);
        aiox_list_insert_before(where, &w->waiter.link);
        where = &w->waiter.link;
        word = w->below;
    }
}

/* Takes them out of the line, if choose() has not. */
static void let_leave(struct duty *d)
{
    struct mutex_waiter *w = (void *)(d->wishes & ~(uintptr_t)(ON_DUTY | HAND_OVER));

    for (; w; w = w->next_leaver) {
        if (aiox_list_is_linked(&w->waiter.link)) {
            aiox_list_remove(&w->waiter.link);
        }
        aiox_list_push_back(&d->to_wake, &w->waiter.link);
    }
}

/* The first in the line holds the mutex now. Returns false if nobody is there. */
static bool choose(struct aiox_co_mutex *m, struct duty *d)
{
    struct aiox_list_node *node;

    while ((node = aiox_list_pop_front(&m->waiting_)) != NULL) {
        struct aiox_co_waiter_ *w = waiter_of_(node);

        if (waiter_choose_(w)) {
            set_holder(m, w->co);
            aiox_list_push_back(&d->to_wake, node);
            return true;
        } /* else it is leaving; its wish is there, or will be */
    }
    return false;
}

static void begin_round(struct aiox_co_mutex *m, struct duty *d)
{
    d->wishes = (uintptr_t)aiox_ptr_swap_acquire(&m->duty_, (void *)ON_DUTY); /* [COMUTEX-duty] */
    d->holds = d->holds || (d->wishes & HAND_OVER);
}

/* Returns false if there are new wishes. */
static bool go_off_duty(struct aiox_co_mutex *m)
{
    void *was = (void *)ON_DUTY;

    return aiox_ptr_cas_release(&m->duty_, &was, NULL); /* [COMUTEX-duty] */
}

/* Does all there is to do. The mutex is not touched any more if !d->holds afterwards. */
static void serve(struct aiox_co_mutex *m, struct duty *d)
{
    do {
        void *was = QUEUED;

        begin_round(m, d);
        take_newcomers(m);
        let_leave(d);
        if (d->holds && choose(m, d)) {
            d->holds = false;
            co_seam_(SEAM_CHOSEN);
        }
        if (aiox_list_is_empty(&m->waiting_)) {
            (void)aiox_ptr_cas_relaxed(&m->word_, &was, HELD);
        }
    } while (!go_off_duty(m));
}

static void fulfil(struct aiox_co_mutex *m, struct mutex_waiter *leaver)
{
    struct duty d = {.holds = false};

    aiox_list_init(&d.to_wake);
    while (wish(m, leaver)) {
        serve(m, &d);
        if (!d.holds || let_go(m)) {
            break;
        }
        d.holds = false; /* somebody has come: once more */
        leaver = NULL;
    }
    waiters_wake_(&d.to_wake);
}

static void too_late(void *opaque)
{
    struct mutex_waiter *w = opaque;

    if (waiter_leave_(&w->waiter)) {
        fulfil(w->mutex, w);
    }
}

/* ---- locking ---- */

/* Looks again and again, while the one holder runs elsewhere. Returns whether that has helped. */
static bool spin(struct aiox_co_mutex *m, const struct aiox_co *self)
{
    for (int i = 0; i < ROUNDS; i++) {
        void *word = aiox_ptr_load_relaxed(&m->word_);

        if (word == FREE && try_take(m)) {
            return true;
        }
        if (word > HELD || aiox_ptr_load_relaxed(&m->executor_) == self->executor) {
            return false;
        }
        co_seam_(SEAM_SPIN);
        aiox_cpu_relax();
    }
    return false;
}

static AIOX_NOINLINE int lock_slow(struct aiox_co_mutex *m, struct aiox_co *self,
                                   int64_t deadline_ns) coroutine_fn
{
    struct mutex_waiter w = {.mutex = m};
    int err;

    if (aiox_ptr_load_relaxed(&m->holder_) == self) {
        refuse_to_lock_twice_(self);
    }
    waiter_init_(&w.waiter, self, deadline_ns);
    if (spin(m, self) || push_or_take(m, &w)) {
        set_holder(m, self);
    } else {
        co_seam_(SEAM_QUEUED);
        err = waiter_sleep_(&w.waiter, deadline_ns, too_late);
        if (err < 0) {
            return err;
        }
    }
    self->locks_held++;
    return 0;
}

void aiox_co_mutex_init(struct aiox_co_mutex *m)
{
    *m = (struct aiox_co_mutex){.word_ = AIOX_ATOMIC_INIT(FREE)};
}

void aiox_co_mutex_fini(struct aiox_co_mutex *m)
{
    aiox_assert(aiox_ptr_load_relaxed(&m->word_) == FREE);
}

HOT bool aiox_co_mutex_try_lock(struct aiox_co_mutex *m)
{
    struct aiox_co *self = self_for_("aiox_co_mutex_lock");

    if (!try_take(m)) {
        return false;
    }
    set_holder(m, self);
    self->locks_held++;
    return true;
}

static AIOX_ALWAYS_INLINE int lock(struct aiox_co_mutex *m, int64_t deadline_ns) coroutine_fn
{
    struct aiox_co *self = self_for_("aiox_co_mutex_lock");

    if (AIOX_LIKELY(try_take(m))) {
        set_holder(m, self);
        self->locks_held++;
        return 0;
    }
    return lock_slow(m, self, deadline_ns);
}

HOT int aiox_co_mutex_lock_until(struct aiox_co_mutex *m, int64_t deadline_ns)
{
    return lock(m, deadline_ns);
}

HOT void aiox_co_mutex_lock(struct aiox_co_mutex *m)
{
    (void)lock(m, -1); /* no error without a deadline */
}

HOT void aiox_co_mutex_unlock(struct aiox_co_mutex *m)
{
    struct aiox_co *self = self_for_("aiox_co_mutex_unlock");

    if (AIOX_UNLIKELY(aiox_ptr_load_relaxed(&m->holder_) != self)) {
        refuse_to_unlock_(self, "a mutex");
    }
    aiox_ptr_store_relaxed(&m->holder_, NULL);
    self->locks_held--;
    if (AIOX_UNLIKELY(!let_go(m))) {
        fulfil(m, NULL);
    }
}

bool aiox_co_mutex_is_locked(const struct aiox_co_mutex *m)
{
    return aiox_ptr_load_relaxed(&m->word_) != FREE;
}
