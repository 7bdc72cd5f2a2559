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

/*
 * How long requests took, from the taking of the header until the reply was handed
 * to the socket; of those that were sent. By their numbers on the wire.
 */
enum {
    TRAFFIC_COMMANDS = 8,
    TRAFFIC_FIRST_BOUND = 13, /* 2^13 ns, 8 us: bounds are powers of two */
    TRAFFIC_BUCKETS = 22,     /* to 2^33 ns, 8.6 s, and the rest */
};

struct traffic_latency {
    uint64_t counts[TRAFFIC_COMMANDS][TRAFFIC_BUCKETS];
    uint64_t sum_ns[TRAFFIC_COMMANDS];
};

/* The bucket of @ns: the first whose bound, 2^(TRAFFIC_FIRST_BOUND + i), it is not above. [any] */
static inline unsigned traffic_bucket(uint64_t ns)
{
    unsigned bits = ns > 1 ? 64 - (unsigned)__builtin_clzll(ns - 1) : 0;
    unsigned bucket = bits > TRAFFIC_FIRST_BOUND ? bits - TRAFFIC_FIRST_BOUND : 0;

    return bucket < TRAFFIC_BUCKETS ? bucket : TRAFFIC_BUCKETS - 1;
}

/* One more request of @command, which is counted if there is such a one. [home] */
static inline void traffic_count_latency(struct traffic_latency *l, unsigned command, uint64_t ns)
{
    if (command < TRAFFIC_COMMANDS) {
        l->counts[command][traffic_bucket(ns)]++;
        l->sum_ns[command] += ns;
    }
}

/* Adds @from to @to. [any] */
static inline void traffic_add_latency(struct traffic_latency *to,
                                       const struct traffic_latency *from)
{
    for (int c = 0; c < TRAFFIC_COMMANDS; c++) {
        for (int i = 0; i < TRAFFIC_BUCKETS; i++) {
            to->counts[c][i] += from->counts[c][i];
        }
        to->sum_ns[c] += from->sum_ns[c];
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
