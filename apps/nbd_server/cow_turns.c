/* SPDX-License-Identifier: MIT */
/*
 * cow_turns.c - two lists under a lock. As many may wait as there are requests of
 * all clients, so nobody looks through all of them: no more go on at a time than
 * HELD_MAX, and of those who wait only the first WINDOW may be next. Whoever comes
 * when so many wait joins them, and so overtakes nobody.
 */
#include "cow_turns.h"

#include "aiox/assert.h"

enum { HELD_MAX = 64, WINDOW = 32 };

static bool overlap(struct cow_turns *t, const struct cow_turn *a, const struct cow_turn *b)
{
    t->looks++;
    return a->first < b->end && b->first < a->end;
}

/* True if one of @list, up to but without @turn if that is in it, has a block of @turn. */
static bool is_wanted(struct cow_turns *t, const struct aiox_list *list,
                      const struct cow_turn *turn)
{
    AIOX_LIST_FOREACH_SAFE(other, list, struct cow_turn, link)
    {
        if (other == turn) {
            return false;
        }
        if (overlap(t, other, turn)) {
            return true;
        }
    }
    return false;
}

/* Of those who wait, it is one of the first WINDOW. */
static bool may_go(struct cow_turns *t, const struct cow_turn *turn)
{
    return t->held_count < HELD_MAX && !is_wanted(t, &t->held, turn) &&
           !is_wanted(t, &t->waiting, turn);
}

void cow_turns_init(struct cow_turns *t)
{
    pthread_mutex_init(&t->lock, NULL);
    aiox_list_init(&t->held);
    aiox_list_init(&t->waiting);
    t->held_count = t->waiting_count = 0;
    t->looks = 0;
}

void cow_turns_fini(struct cow_turns *t)
{
    aiox_assert(aiox_list_is_empty(&t->held) && aiox_list_is_empty(&t->waiting));
    pthread_mutex_destroy(&t->lock);
}

void cow_turn_take(struct cow_turn *turn)
{
    struct cow_turns *t = turn->home->turns;
    bool goes;

    pthread_mutex_lock(&t->lock);
    goes = t->waiting_count < WINDOW && may_go(t, turn);
    aiox_list_push_back(goes ? &t->held : &t->waiting, &turn->link);
    t->held_count += goes;
    t->waiting_count += !goes;
    pthread_mutex_unlock(&t->lock);
    if (goes) {
        turn->go(turn);
    }
}

static void let_go(struct cow_turns *t, struct cow_turn *turn)
{
    aiox_list_remove(&turn->link);
    aiox_list_push_back(&t->held, &turn->link);
    t->waiting_count--;
    t->held_count++;
    aiox_list_push_back(&turn->home->ready, &turn->ready_link);
    aiox_bh_schedule(turn->home->bh);
}

/* Those who need not wait any more are held and told at home. */
static void pass_on(struct cow_turns *t)
{
    unsigned stayed = 0;

    AIOX_LIST_FOREACH_SAFE(turn, &t->waiting, struct cow_turn, link)
    {
        if (may_go(t, turn)) {
            let_go(t, turn);
        } else if (++stayed == WINDOW || t->held_count == HELD_MAX) {
            return;
        }
    }
}

void cow_turn_give(struct cow_turn *turn)
{
    struct cow_turns *t = turn->home->turns;

    pthread_mutex_lock(&t->lock);
    aiox_list_remove(&turn->link);
    t->held_count--;
    pass_on(t);
    pthread_mutex_unlock(&t->lock);
}

static struct cow_turn *next_ready(struct cow_home *home)
{
    struct aiox_list_node *node;

    pthread_mutex_lock(&home->turns->lock);
    node = aiox_list_pop_front(&home->ready);
    pthread_mutex_unlock(&home->turns->lock);
    return node ? AIOX_CONTAINER_OF(node, struct cow_turn, ready_link) : NULL;
}

void cow_home_run(struct cow_home *home)
{
    struct cow_turn *turn;

    while ((turn = next_ready(home))) {
        turn->go(turn);
    }
}
