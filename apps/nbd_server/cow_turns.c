/* SPDX-License-Identifier: MIT */
/*
 * cow_turns.c - two lists under a lock. They hold no more than there are requests
 * under way, so looking through them is short.
 */
#include "cow_turns.h"

#include "aiox/assert.h"

static bool overlap(const struct cow_turn *a, const struct cow_turn *b)
{
    return a->first < b->end && b->first < a->end;
}

/* True if one of @list, up to but without @turn if that is in it, has a block of @turn. */
static bool is_wanted(const struct aiox_list *list, const struct cow_turn *turn)
{
    AIOX_LIST_FOREACH_SAFE(other, list, struct cow_turn, link)
    {
        if (other == turn) {
            return false;
        }
        if (overlap(other, turn)) {
            return true;
        }
    }
    return false;
}

static bool may_go(const struct cow_turns *t, const struct cow_turn *turn)
{
    return !is_wanted(&t->held, turn) && !is_wanted(&t->waiting, turn);
}

void cow_turns_init(struct cow_turns *t)
{
    pthread_mutex_init(&t->lock, NULL);
    aiox_list_init(&t->held);
    aiox_list_init(&t->waiting);
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
    goes = may_go(t, turn);
    aiox_list_push_back(goes ? &t->held : &t->waiting, &turn->link);
    pthread_mutex_unlock(&t->lock);
    if (goes) {
        turn->go(turn);
    }
}

/* Those who waited for @given and need not any more are held and told at home. */
static void pass_on(struct cow_turns *t, const struct cow_turn *given)
{
    AIOX_LIST_FOREACH_SAFE(turn, &t->waiting, struct cow_turn, link)
    {
        if (overlap(turn, given) && may_go(t, turn)) {
            aiox_list_remove(&turn->link);
            aiox_list_push_back(&t->held, &turn->link);
            aiox_list_push_back(&turn->home->ready, &turn->ready_link);
            aiox_bh_schedule(turn->home->bh);
        }
    }
}

void cow_turn_give(struct cow_turn *turn)
{
    struct cow_turns *t = turn->home->turns;

    pthread_mutex_lock(&t->lock);
    aiox_list_remove(&turn->link);
    pass_on(t, turn);
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
