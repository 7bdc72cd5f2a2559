/* SPDX-License-Identifier: MIT */
/* line.c - who is first is asked about; see line.h. */
#include "line.h"

/* Lives in the frame of who waits. */
struct ticket {
    struct aiox_co_waiter_ waiter; /* first: see too_late() */
    struct aiox_co_line_ *line;
    const struct line_law *law;
    uint64_t wants; /* as the lock understands it */
};

static struct ticket *ticket_of(struct aiox_list_node *link)
{
    return AIOX_CONTAINER_OF(link, struct ticket, waiter.link);
}

/* Moves those who are admitted from the line to @admitted. */
static void admit(struct aiox_co_line_ *line, const struct line_law *law,
                  struct aiox_list *admitted)
{
    struct aiox_list_node *first;

    while ((first = aiox_list_first(&line->tickets_)) != NULL) {
        struct ticket *t = ticket_of(first);

        if (!law->can_have(line, t->wants)) {
            return;
        }
        law->give(line, t->wants, t->waiter.co);
        (void)waiter_choose_(&t->waiter); /* who has left is not in the line */
        aiox_list_remove(first);
        aiox_list_push_back(admitted, first);
    }
}

void line_move_on_slow_(struct aiox_co_line_ *line, const struct line_law *law)
{
    struct aiox_list admitted;

    aiox_list_init(&admitted);
    admit(line, law, &admitted);
    line_leave_(line);
    waiters_wake_(&admitted);
}

/* It leaves the line; who stood behind it may be the first now. */
static void too_late(void *opaque)
{
    struct ticket *t = opaque;
    struct aiox_list to_wake;

    aiox_list_init(&to_wake);
    line_take_(t->line);
    if (waiter_leave_(&t->waiter)) {
        aiox_list_remove(&t->waiter.link);
        aiox_list_push_back(&to_wake, &t->waiter.link);
        admit(t->line, t->law, &to_wake);
    }
    line_leave_(t->line);
    waiters_wake_(&to_wake);
}

int line_wait_(struct aiox_co_line_ *line, const struct line_law *law, uint64_t wants,
               int64_t deadline_ns)
{
    struct ticket t = {.line = line, .law = law, .wants = wants};

    waiter_init_(&t.waiter, aiox_co_self(), deadline_ns);
    aiox_list_push_back(ring_of_(&line->tickets_), &t.waiter.link);
    line_move_on_slow_(line, law); /* it may have given something up to wait */
    return waiter_sleep_(&t.waiter, deadline_ns, too_late);
}
