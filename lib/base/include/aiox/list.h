/* SPDX-License-Identifier: MIT */
/*
 * aiox/list.h - intrusive lists: the node lives in what is listed.
 *
 * struct aiox_list    a ring with a head: add and remove anywhere in O(1)
 * struct aiox_queue   first in, first out; one word per node; joins in O(1)
 *
 * No function allocates, none can fail. A list has no lock: the thread rule
 * of its owner is its thread rule.
 *
 *   struct job { struct aiox_list_node link; int id; };
 *   AIOX_LIST_FOREACH(job, &jobs, struct job, link) { use(job->id); }
 */
#ifndef AIOX_LIST_H_
#define AIOX_LIST_H_

#include <stdbool.h>
#include <stddef.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

struct aiox_list_node {
    struct aiox_list_node *next_;
    struct aiox_list_node *prev_;
};

/* Points at itself when empty, so it must not be copied or moved. */
struct aiox_list {
    struct aiox_list_node head_;
};

/* Makes @list empty. */
static inline void aiox_list_init(struct aiox_list *list)
{
    list->head_.next_ = &list->head_;
    list->head_.prev_ = &list->head_;
}

static inline bool aiox_list_is_empty(const struct aiox_list *list)
{
    return list->head_.next_ == &list->head_;
}

/* Marks @node as in no list. An all-zero node is so marked. */
static inline void aiox_list_node_init(struct aiox_list_node *node)
{
    node->next_ = NULL;
    node->prev_ = NULL;
}

/* True between an insertion and the removal. */
static inline bool aiox_list_is_linked(const struct aiox_list_node *node)
{
    return node->next_ != NULL;
}

/* Puts @node, which is in no list, in front of @where. */
static inline void aiox_list_insert_before(struct aiox_list_node *where,
                                           struct aiox_list_node *node)
{
    node->next_ = where;
    node->prev_ = where->prev_;
    where->prev_->next_ = node;
    where->prev_ = node;
}

static inline void aiox_list_push_front(struct aiox_list *list, struct aiox_list_node *node)
{
    aiox_list_insert_before(list->head_.next_, node);
}

static inline void aiox_list_push_back(struct aiox_list *list, struct aiox_list_node *node)
{
    aiox_list_insert_before(&list->head_, node);
}

/* Takes @node out of the list it is in. */
static inline void aiox_list_remove(struct aiox_list_node *node)
{
    node->prev_->next_ = node->next_;
    node->next_->prev_ = node->prev_;
    aiox_list_node_init(node);
}

/* The first node, or NULL. */
static inline struct aiox_list_node *aiox_list_first(const struct aiox_list *list)
{
    return aiox_list_is_empty(list) ? NULL : list->head_.next_;
}

/* The last node, or NULL. */
static inline struct aiox_list_node *aiox_list_last(const struct aiox_list *list)
{
    return aiox_list_is_empty(list) ? NULL : list->head_.prev_;
}

/* Takes the first node out; NULL if there is none. */
static inline struct aiox_list_node *aiox_list_pop_front(struct aiox_list *list)
{
    struct aiox_list_node *node = aiox_list_first(list);

    if (node) {
        aiox_list_remove(node);
    }
    return node;
}

/* Moves all of @from, in order, behind the last of @to. @from is empty then. */
static inline void aiox_list_splice_back(struct aiox_list *to, struct aiox_list *from)
{
    if (aiox_list_is_empty(from)) {
        return;
    }
    from->head_.next_->prev_ = to->head_.prev_;
    to->head_.prev_->next_ = from->head_.next_;
    from->head_.prev_->next_ = &to->head_;
    to->head_.prev_ = from->head_.prev_;
    aiox_list_init(from);
}

/* Walks a list; the body must not remove @var. */
#define AIOX_LIST_FOREACH(var, list, type, member)                                                 \
    for (type *var = AIOX_CONTAINER_OF((list)->head_.next_, type, member);                         \
         &var->member != &(list)->head_; var = AIOX_CONTAINER_OF(var->member.next_, type, member))

/* Walks a list; the body may remove @var, and no other node. */
#define AIOX_LIST_FOREACH_SAFE(var, list, type, member)                                            \
    for (type *var = AIOX_CONTAINER_OF((list)->head_.next_, type, member),                         \
              *var##_next_ = AIOX_CONTAINER_OF(var->member.next_, type, member);                   \
         &var->member != &(list)->head_;                                                           \
         var = var##_next_, var##_next_ = AIOX_CONTAINER_OF(var->member.next_, type, member))

struct aiox_queue_node {
    struct aiox_queue_node *next_;
};

/* All zero is empty. May be copied when the original is then forgotten. */
struct aiox_queue {
    struct aiox_queue_node *first_;
    struct aiox_queue_node *last_;
};

static inline void aiox_queue_init(struct aiox_queue *queue)
{
    queue->first_ = NULL;
    queue->last_ = NULL;
}

static inline bool aiox_queue_is_empty(const struct aiox_queue *queue)
{
    return queue->first_ == NULL;
}

/* The node that aiox_queue_pop() would take, or NULL. */
static inline struct aiox_queue_node *aiox_queue_first(const struct aiox_queue *queue)
{
    return queue->first_;
}

static inline void aiox_queue_push_back(struct aiox_queue *queue, struct aiox_queue_node *node)
{
    node->next_ = NULL;
    if (queue->first_) {
        queue->last_->next_ = node;
    } else {
        queue->first_ = node;
    }
    queue->last_ = node;
}

static inline void aiox_queue_push_front(struct aiox_queue *queue, struct aiox_queue_node *node)
{
    node->next_ = queue->first_;
    if (!queue->first_) {
        queue->last_ = node;
    }
    queue->first_ = node;
}

/* Takes the first node out; NULL if there is none. */
static inline struct aiox_queue_node *aiox_queue_pop(struct aiox_queue *queue)
{
    struct aiox_queue_node *node = queue->first_;

    if (node) {
        queue->first_ = node->next_;
    }
    return node;
}

/* Moves all of @from, in order, in front of the first of @to. @from is empty then. */
static inline void aiox_queue_splice_front(struct aiox_queue *to, struct aiox_queue *from)
{
    if (aiox_queue_is_empty(from)) {
        return;
    }
    from->last_->next_ = to->first_;
    if (!to->first_) {
        to->last_ = from->last_;
    }
    to->first_ = from->first_;
    aiox_queue_init(from);
}

/*
 * Puts a chain of nodes behind all that is in @queue, the last of the chain first. So what others
 * have pushed onto an aiox_atomic_ptr, and a swap took off it, comes in the order of the pushes.
 */
static inline void aiox_queue_append_reversed(struct aiox_queue *queue,
                                              struct aiox_queue_node *newest)
{
    struct aiox_queue oldest_first = {NULL, NULL};

    while (newest) {
        AIOX_PLAIN_READ(&newest->next_);
        struct aiox_queue_node *older = newest->next_;

        aiox_queue_push_front(&oldest_first, newest);
        newest = older;
    }
    aiox_queue_splice_front(&oldest_first, queue);
    *queue = oldest_first;
}

AIOX_END_DECLS

#endif /* AIOX_LIST_H_ */
