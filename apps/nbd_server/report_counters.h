/* SPDX-License-Identifier: MIT */
/*
 * report_counters.h - what is counted of a client, an export, all: a row for each,
 * in report_json.c and report_prom.c.
 */
#ifndef AIOX_NBD_REPORT_COUNTERS_H_
#define AIOX_NBD_REPORT_COUNTERS_H_

#include <stddef.h>
#include <stdint.h>

#include "report.h"

static const struct counter {
    const char *key;    /* in JSON */
    const char *family; /* in Prometheus, without "aiox_nbd_" and "_total" */
    const char *label;  /* or NULL */
    size_t offset;
} counters[] = {
#define COUNTER(field, family, label)                                                              \
    {                                                                                              \
#field, family, label, offsetof(struct transmission_stats, field)                          \
    }
    COUNTER(reads, "requests", "type=\"read\""),
    COUNTER(writes, "requests", "type=\"write\""),
    COUNTER(flushes, "requests", "type=\"flush\""),
    COUNTER(trims, "requests", "type=\"trim\""),
    COUNTER(zeroes, "requests", "type=\"zero\""),
    COUNTER(caches, "requests", "type=\"cache\""),
    COUNTER(statuses, "requests", "type=\"status\""),
    COUNTER(bytes_read, "bytes", "direction=\"read\""),
    COUNTER(bytes_written, "bytes", "direction=\"written\""),
    COUNTER(errors, "request_errors", NULL),
#undef COUNTER
};

enum { COUNTERS = sizeof(counters) / sizeof(counters[0]) };

/* [any] */
static inline uint64_t value_of(const struct counter *c, const struct transmission_stats *stats)
{
    return *(const uint64_t *)(const void *)((const char *)stats + c->offset);
}

#endif /* AIOX_NBD_REPORT_COUNTERS_H_ */
