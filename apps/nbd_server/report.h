/* SPDX-License-Identifier: MIT */
/*
 * report.h - what goes on in a server at one moment, and that as text.
 *
 * Each worker is looked at in its own thread, one after the other or at once:
 * numbers of two workers may be a moment apart.
 */
#ifndef AIOX_NBD_REPORT_H_
#define AIOX_NBD_REPORT_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"

#include "export.h"
#include "listener.h"
#include "options.h"
#include "text_out.h"
#include "traffic.h"

AIOX_BEGIN_DECLS

struct worker;

struct report_export {
    char *name;
    char *source;
    uint64_t size_bytes;
    bool read_only;
    unsigned clients;
    char engine[16]; /* who serves it */
    bool has_served; /* a file has to do with it */
    struct export_served served;
    struct transmission_stats stats;
    struct traffic_latency latency;
};

struct report_client {
    uint64_t number;
    int thread;
    char peer[LISTENER_ADDRESS];
    const char *state;
    char *name; /* of its export, or NULL */
    bool encrypted;
    double age_s;
    double still_s;
    uint32_t requests;
    uint64_t payload_bytes;
    struct transmission_stats stats;
};

/* Of one worker, or of all. Zeroed: empty. */
struct report {
    struct report_export *exports;
    int export_count;
    struct report_client *clients;
    int client_count;
    uint64_t lent_bytes; /* of memory for requests */
    uint64_t made_room;  /* clients that had to leave while they greeted */
    struct tls_counts tls;
    struct transmission_stats total;
    uint64_t requests[OPTIONS_THREADS_MAX]; /* of each worker */
    bool failed;                            /* there was no memory: it is not whole */
};

/* What concerns the server as a whole. */
struct report_head {
    const char *version;
    double uptime_s;
    int threads;
    uint64_t accepted;
    uint64_t refused;
    uint64_t knocks;
    uint64_t pauses;
};

/* Fills @r, which is empty, with what is in @w. [home of @w] */
void report_collect(struct report *r, const struct worker *w);

/* Adds @from, which is empty then, to @to: exports of one name become one. [any] */
void report_merge(struct report *to, struct report *from);

void report_fini(struct report *r);

/* One JSON object in one line. [any] */
void report_write_json(struct text_out *out, const struct report_head *head,
                       const struct report *r);

/* The text format of Prometheus; clients appear as numbers only. [any] */
void report_write_prometheus(struct text_out *out, const struct report_head *head,
                             const struct report *r);

AIOX_END_DECLS

#endif /* AIOX_NBD_REPORT_H_ */
