/* SPDX-License-Identifier: MIT */
/*
 * coroutine.c - life of a coroutine, and whom it wakes.
 *
 * A stack is suspended for the first time inside live(), where a new life
 * begins, and at the end of each life it is suspended there again. So to make
 * a coroutine out of a warm stack is to write its function into the record.
 *
 * Who cleans up. A coroutine that yields without having woken anybody jumps
 * straight back into the code of whoever entered it; one that ends puts itself
 * into its thread's magazine first, which nobody else looks into before the
 * jump. Only if there is more to do it asks the enterer to do that on its own
 * stack (hop_ask_), for by then this one must be suspended.
 *
 * Whom it has woken. run_woken() is a loop around a work list: what a
 * coroutine of the list wakes goes in front of the rest. Such a coroutine is
 * "in turn": it leaves what it has woken to the loop and asks for nothing, so
 * a chain of wakes of any length uses one frame.
 *
 * Threads. Between two yields a coroutine stays in one thread. The address of
 * this_thread_ must not be kept across a yield, and the compiler knows no
 * better: so functions that look at it, here or by self_(), are never inlined,
 * and look once, before they switch. After a switch, aiox_co_enter() and
 * run_woken() are in the thread where they were; aiox_co_yield() and end_life()
 * do nothing more.
 *
 * The mark
 *   [CO-mark]  unmark (release) -> mark (acquire): the former holder has done
 *              with the link. What a waker wrote is carried by the executor's list.
 */
#define _GNU_SOURCE
#include "aiox/coroutine.h"

#include <errno.h>

#include "aiox/assert.h"

#include "hop.h"
#include "pool.h"
#include "refuse.h"
#include "stack.h"
#include "trace.h"

__thread struct co_thread this_thread_ TLS_FAST;

static const struct aiox_co_class default_class = {NULL, AIOX_CO_STACK_DEFAULT_BYTES};
static const char woken_by[] = "aiox_co_wake";

static AIOX_NOINLINE struct co_thread *thread(void)
{
    struct co_thread *t = &this_thread_;

    __asm__ volatile("" : "+r"(t)::"memory"); /* not a constant: see Threads */
    return t;
}

static const char *mark_of(const struct aiox_co *co)
{
    return aiox_ptr_load_relaxed(&co->mark);
}

/* ---- a work list ---- */

static inline void set_running(struct co_thread *t, struct aiox_co *co)
{
    co->outer = t->current;
    t->current = co;
}

static void run_woken(struct co_thread *t, struct aiox_queue todo)
{
    struct aiox_queue_node *node;

    while ((node = aiox_queue_pop(&todo)) != NULL) {
        struct aiox_co *co = aiox_co_of_link(node);

        aiox_ptr_store_release(&co->mark, NULL); /* [CO-mark] */
        if (AIOX_UNLIKELY(co->back != NULL)) {
            refuse_to_enter_(co);
        }
        co->in_turn = true;
        set_running(t, co);
        hop_in_(co);
        co->in_turn = false;
        aiox_queue_splice_front(&todo, &co->woken);
        if (co->back == CO_POOLED && !pool_put_(t, co)) {
            pool_put_slow_(t, co);
        }
    }
}

static struct aiox_queue take_woken(struct aiox_co *co)
{
    struct aiox_queue woken = co->woken;

    aiox_queue_init(&co->woken);
    return woken;
}

/* Asked for by a coroutine that has yielded. Runs on the stack of whoever entered it. */
static void after_yield(void *arg)
{
    run_woken(thread(), take_woken(arg));
}

/* Asked for by one that has ended. */
static void after_end(void *arg)
{
    struct co_thread *t = thread();
    struct aiox_queue woken = take_woken(arg);

    if (!pool_put_(t, arg)) {
        pool_put_slow_(t, arg);
    }
    run_woken(t, woken);
}

/* ---- life ---- */

/* Returns when the next life begins. */
static HOT FIBER_NO_SECOND_STACK void end_life(struct aiox_co *co)
{
    struct co_thread *t = &this_thread_;
    void *back = co->back;

    if (AIOX_UNLIKELY(mark_of(co) != NULL || co->locks_held != 0)) {
        refuse_to_end_(co);
    }
    t->current = co->outer;
    co->back = CO_POOLED;
    if (co->in_turn || (aiox_queue_is_empty(&co->woken) && pool_put_(t, co))) {
        hop_out_(co, back, true);
    } else {
        hop_ask_(co, back, true, after_end);
    }
}

static FIBER_NO_SECOND_STACK void live(void *arg)
{
    AIOX_UNUSED __attribute__((cleanup(refuse_to_unwind_))) struct aiox_co *unwound = arg;
    struct aiox_co *co = arg; /* in a register, which a cleanup's is not */

    fiber_arrive_(&co->fiber);
    for (;;) {
        aiox_co_fn *fn = co->fn;

        co->fn = NULL;
        fn(co->opaque);
        end_life(co);
    }
}

static struct aiox_co *get_slow(struct co_thread *t, unsigned kind)
{
    struct aiox_co *co = pool_get_slow_(t, kind);

    if (co && !co->point) {
        co->point = switch_prepare_(co, live, co);
        aiox_queue_init(&co->woken);
        aiox_ptr_store_relaxed(&co->mark, NULL);
        co->in_turn = false;
        co->locks_held = 0;
    }
    return co;
}

static const struct aiox_co_class *class_or_default(const struct aiox_co_class *class_)
{
    return class_ ? class_ : &default_class;
}

static unsigned kind_of(const struct aiox_co_class *class_)
{
    if (class_->stack_bytes == 0) {
        return stack_kind_(AIOX_CO_STACK_DEFAULT_BYTES);
    }
    aiox_assert(class_->stack_bytes <= AIOX_CO_STACK_MAX_BYTES);
    return stack_kind_(class_->stack_bytes);
}

static inline void begin_life(struct aiox_co **out, struct aiox_co *co,
                              const struct aiox_co_class *class_, aiox_co_fn *fn, void *opaque)
{
    fiber_reuse_(&co->fiber);
    co->back = NULL;
    co->executor = NULL;
    co->fn = fn;
    co->opaque = opaque;
    co->class_ = class_;
    *out = co;
    AIOX_TRACE(coroutine, create, (uintptr_t)co, (uintptr_t)class_->name);
}

static AIOX_NOINLINE int create_slow(struct aiox_co **out, const struct aiox_co_class *class_,
                                     aiox_co_fn *fn, void *opaque)
{
    struct aiox_co *co = get_slow(&this_thread_, kind_of(class_));

    if (!co) {
        return -ENOMEM;
    }
    begin_life(out, co, class_, fn, opaque);
    return 0;
}

/* Calls nobody before all is done, so it saves no registers. */
HOT int aiox_co_create(struct aiox_co **out, const struct aiox_co_class *class_, aiox_co_fn *fn,
                       void *opaque)
{
    struct co_thread *t = &this_thread_;
    struct aiox_co *co;

    class_ = class_or_default(class_);
    co = pool_get_(t, kind_of(class_));
    if (AIOX_UNLIKELY(!co)) {
        return create_slow(out, class_, fn, opaque);
    }
    begin_life(out, co, class_, fn, opaque);
    return 0;
}

AIOX_NOINLINE void aiox_co_free(struct aiox_co *co)
{
    struct co_thread *t = &this_thread_;

    if (!co) {
        return;
    }
    if (co->back || !co->fn || mark_of(co)) {
        refuse_to_free_(co);
    }
    co->back = CO_POOLED;
    if (!pool_put_(t, co)) {
        pool_put_slow_(t, co);
    }
}

void aiox_co_set_opaque(struct aiox_co *co, void *opaque)
{
    if (co->fn) {
        co->opaque = opaque;
    }
}

/* ---- switching ---- */

static inline void check_can_enter(const struct aiox_co *co)
{
    if (AIOX_UNLIKELY(co->back != NULL || mark_of(co) != NULL)) {
        refuse_to_enter_(co);
    }
}

HOT void aiox_co_enter(struct aiox_co *co)
{
    struct co_thread *t = &this_thread_;

    check_can_enter(co);
    set_running(t, co);
    if (co->outer) {
        co->executor = co->outer->executor;
    }
    hop_in_(co);
}

HOT void aiox_co_enter_on(struct aiox_executor *ex, struct aiox_co *co)
{
    struct co_thread *t = &this_thread_;

    check_can_enter(co);
    set_running(t, co);
    co->executor = ex;
    hop_in_(co);
}

HOT void aiox_co_yield(void)
{
    struct co_thread *t = &this_thread_;
    struct aiox_co *co = t->current;
    void *back;

    if (AIOX_UNLIKELY(!co)) {
        aiox_panic("a yield outside of a coroutine");
    }
    back = co->back;
    co->back = NULL;
    t->current = co->outer;
    if (AIOX_LIKELY(aiox_queue_is_empty(&co->woken)) || co->in_turn) {
        hop_out_(co, back, false);
    } else {
        hop_ask_(co, back, false, after_yield);
    }
}

AIOX_NOINLINE struct aiox_co *aiox_co_self(void)
{
    struct aiox_co *self = this_thread_.current;

    __asm__ volatile("" : "+r"(self)::"memory"); /* not a constant: see Threads */
    return self;
}

bool aiox_in_coroutine(void)
{
    return thread()->current != NULL;
}

bool aiox_co_is_entered(const struct aiox_co *co)
{
    return co->back != NULL && co->back != CO_POOLED;
}

const char *aiox_co_name(const struct aiox_co *co)
{
    return co->class_->name ? co->class_->name : "coroutine";
}

/* ---- executors ---- */

struct aiox_executor *aiox_co_executor(const struct aiox_co *co)
{
    return co->executor;
}

static AIOX_ALWAYS_INLINE void wake_on(struct aiox_executor *ex, struct aiox_co *co)
{
    struct aiox_co *self = aiox_co_self();

    AIOX_TRACE(coroutine, wake, (uintptr_t)co, (uintptr_t)ex);
    if (self && self->executor == ex) {
        aiox_co_mark(co, woken_by);
        co->executor = ex;
        aiox_queue_push_back(&self->woken, &co->link);
    } else if (ex) {
        ex->schedule(ex, co);
    } else {
        aiox_co_enter_on(NULL, co);
    }
}

void aiox_co_wake_on(struct aiox_executor *ex, struct aiox_co *co)
{
    wake_on(ex, co);
}

void aiox_co_wake(struct aiox_co *co)
{
    wake_on(co->executor, co);
}

void aiox_co_mark(struct aiox_co *co, const char *by)
{
    void *was = NULL;

    if (AIOX_UNLIKELY(
            !aiox_ptr_cas_acquire(&co->mark, &was, (void *)(uintptr_t)by))) { /* [CO-mark] */
        aiox_panic("%s schedules %s (%p), which is already scheduled by %s", by, aiox_co_name(co),
                   (const void *)co, (const char *)was);
    }
}

bool aiox_co_unmark(struct aiox_co *co, const char *by)
{
    void *was = (void *)(uintptr_t)by;

    return aiox_ptr_cas_acq_rel(&co->mark, &was, NULL); /* [CO-mark] */
}

struct aiox_queue_node *aiox_co_link(struct aiox_co *co)
{
    return &co->link;
}

struct aiox_co *aiox_co_of_link(struct aiox_queue_node *link)
{
    return AIOX_CONTAINER_OF(link, struct aiox_co, link);
}

/* ---- stacks ---- */

size_t aiox_co_stack_used_bytes(const struct aiox_co *co)
{
    return stack_used_bytes_(co);
}

size_t aiox_co_class_high_water_bytes(const struct aiox_co_class *class_)
{
    return stack_high_water_bytes_(kind_of(class_or_default(class_)));
}

const char *aiox_co_switch_name(void)
{
    return switch_name_;
}
