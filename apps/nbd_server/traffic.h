/* SPDX-License-Identifier: MIT */
/*
 * traffic.h - what was done, in numbers: of a client, of those who have left, of
 * all.
 */
#ifndef AIOX_NBD_TRAFFIC_H_
#define AIOX_NBD_TRAFFIC_H_

#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/* Nothing but counters of 64 bits. */
struct transmission_stats {
    uint64_t reads;
    uint64_t writes;
    uint64_t flushes;
    uint64_t trims;
    uint64_t zeroes;
    uint64_t caches;
    uint64_t statuses;
    uint64_t errors; /* requests that were answered with one */
    uint64_t bytes_read;
    uint64_t bytes_written;
};

/* Adds each counter of @from to that of @to. [any] */
static inline void traffic_add(struct transmission_stats *to, const struct transmission_stats *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *numbers = (const uint64_t *)from;

    for (size_t i = 0; i < sizeof(*to) / sizeof(sums[0]); i++) {
        sums[i] += numbers[i];
    }
}

/* Requests in all. [any] */
static inline uint64_t traffic_requests(const struct transmission_stats *stats)
{
    return stats->reads + stats->writes + stats->flushes + stats->trims + stats->zeroes +
           stats->caches + stats->statuses;
}

AIOX_END_DECLS

#endif /* AIOX_NBD_TRAFFIC_H_ */
