/* SPDX-License-Identifier: MIT */
/*
 * line.h - strictly one after the other.
 *
 * A ticket waits in the line until its lock admits it. Only the first is ever
 * asked about, so nobody overtakes. The latch guards line and lock; it is held
 * for a few steps that call nobody, and is not worth a mutex: one swap to take
 * it, a plain store to leave, and who finds it taken looks again.
 *
 * Who is admitted, or leaves, is woken without the latch, and when nothing more
 * is done with the lock: it may free it.
 *
 *   [COLINE-latch]  line_leave_ (release) -> line_try_take_ (acquire): the line, the
 *                   lock, and what its owners did.
 */
#ifndef AIOX_COROUTINE_SRC_LINE_H_
#define AIOX_COROUTINE_SRC_LINE_H_

#include "latch.h"
#include "waiter.h"

/* What a kind of lock says to wishes. Called with the latch held. */
struct line_law {
    bool (*can_have)(const struct aiox_co_line_ *line, uint64_t wants);
    void (*give)(struct aiox_co_line_ *line, uint64_t wants, struct aiox_co *co);
};

static AIOX_ALWAYS_INLINE bool line_try_take_(struct aiox_co_line_ *line)
{
    return AIOX_LIKELY(!aiox_u32_swap_acquire(&line->latch_, 1)); /* [COLINE-latch] */
}

static AIOX_ALWAYS_INLINE void line_take_(struct aiox_co_line_ *line)
{
    while (!line_try_take_(line)) {
        latch_wait_(&line->latch_);
    }
}

static AIOX_ALWAYS_INLINE void line_leave_(struct aiox_co_line_ *line)
{
    aiox_u32_store_release(&line->latch_, 0); /* [COLINE-latch] */
    latch_left_(&line->latch_);
}

static AIOX_ALWAYS_INLINE bool line_is_empty_(const struct aiox_co_line_ *line)
{
    return !line->tickets_.head_.next_ || aiox_list_is_empty(&line->tickets_);
}

/* Gives @co what it @wants if that can be had and nobody waits. Returns whether it did. */
static AIOX_ALWAYS_INLINE bool line_pass_(struct aiox_co_line_ *line, const struct line_law *law,
                                          uint64_t wants, struct aiox_co *co)
{
    bool can = line_is_empty_(line) && law->can_have(line, wants);

    if (can) {
        law->give(line, wants, co);
    }
    return can;
}

/* The same without the latch. False also if that is taken: it may be had all the same. */
static AIOX_ALWAYS_INLINE bool line_pass_at_once_(struct aiox_co_line_ *line,
                                                  const struct line_law *law, uint64_t wants,
                                                  struct aiox_co *co)
{
    bool can;

    if (!line_try_take_(line)) {
        return false;
    }
    can = line_pass_(line, law, wants, co);
    line_leave_(line);
    return can;
}

/* Admits from the head as many as can be; leaves the latch; wakes them. */
void line_move_on_slow_(struct aiox_co_line_ *line, const struct line_law *law);

static AIOX_ALWAYS_INLINE void line_move_on_(struct aiox_co_line_ *line, const struct line_law *law)
{
    if (AIOX_LIKELY(line_is_empty_(line))) {
        line_leave_(line);
    } else {
        line_move_on_slow_(line, law);
    }
}

/*
 * Waits for @wants at the end of the line. The latch is held before and not
 * after. 0, or what waiter_sleep_() returns: then it is not in the line.
 */
int line_wait_(struct aiox_co_line_ *line, const struct line_law *law, uint64_t wants,
               int64_t deadline_ns) coroutine_fn;

#endif /* AIOX_COROUTINE_SRC_LINE_H_ */
