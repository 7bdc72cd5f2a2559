/* SPDX-License-Identifier: MIT */
/* shared_resource.c - so and so much, as a line sees it. */
#include "aiox/assert.h"

#include "line.h"

static struct aiox_co_shared_resource *resource_of(const struct aiox_co_line_ *line)
{
    return AIOX_CONTAINER_OF((uintptr_t)line, struct aiox_co_shared_resource, line_);
}

static bool can_have(const struct aiox_co_line_ *line, uint64_t wants)
{
    return resource_of(line)->free_ >= wants;
}

static void give(struct aiox_co_line_ *line, uint64_t wants, struct aiox_co *co)
{
    AIOX_PLAIN_WRITE(&resource_of(line)->free_);
    resource_of(line)->free_ -= wants;
}

static const struct line_law law = {can_have, give};

void aiox_co_shared_resource_init(struct aiox_co_shared_resource *r, uint64_t total)
{
    *r = (struct aiox_co_shared_resource){.total_ = total, .free_ = total};
}

void aiox_co_shared_resource_fini(struct aiox_co_shared_resource *r)
{
    aiox_assert(r->free_ == r->total_);
    aiox_assert(line_is_empty_(&r->line_));
}

AIOX_NOINLINE int aiox_co_shared_resource_get_until(struct aiox_co_shared_resource *r, uint64_t n,
                                                    int64_t deadline_ns)
{
    struct aiox_co *self = self_for_("aiox_co_shared_resource_get");

    aiox_assert(n <= r->total_);
    line_take_(&r->line_);
    if (line_pass_(&r->line_, &law, n, self)) {
        line_leave_(&r->line_);
        return 0;
    }
    return line_wait_(&r->line_, &law, n, deadline_ns);
}

void aiox_co_shared_resource_get(struct aiox_co_shared_resource *r, uint64_t n)
{
    int err = aiox_co_shared_resource_get_until(r, n, -1);

    (void)err; /* there is none without a deadline */
}

bool aiox_co_shared_resource_try_get(struct aiox_co_shared_resource *r, uint64_t n)
{
    bool got;

    aiox_assert(n <= r->total_);
    line_take_(&r->line_);
    got = line_pass_(&r->line_, &law, n, NULL);
    line_leave_(&r->line_);
    return got;
}

void aiox_co_shared_resource_put(struct aiox_co_shared_resource *r, uint64_t n)
{
    line_take_(&r->line_);
    AIOX_PLAIN_WRITE(&r->free_);
    aiox_assert(n <= r->total_ - r->free_);
    r->free_ += n;
    line_move_on_(&r->line_, &law);
}
