/* SPDX-License-Identifier: MIT */
/*
 * report_text.c - a report for programs: JSON, and Prometheus's text format.
 */
#include <inttypes.h>
#include <string.h>

#include "report.h"

/* What is counted of a client, an export, all. */
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

static uint64_t value_of(const struct counter *c, const struct transmission_stats *stats)
{
    return *(const uint64_t *)(const void *)((const char *)stats + c->offset);
}

/* ---- JSON ---- */

/* "reads":1,"writes":2,... */
static void json_counters(struct text_out *out, const struct transmission_stats *stats)
{
    for (int i = 0; i < COUNTERS; i++) {
        text_out_add(out, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", counters[i].key,
                     value_of(&counters[i], stats));
    }
}

static void json_engine(struct text_out *out, const struct report_export *e)
{
    text_out_add(out, "\"engine\":\"%s\",", e->engine);
    if (e->has_served) {
        text_out_add(out,
                     "\"served\":{\"ring\":%" PRIu64 ",\"linux_aio\":%" PRIu64
                     ",\"inline\":%" PRIu64 ",\"pool\":%" PRIu64 "},",
                     e->served.ring, e->served.linux_aio, e->served.at_once, e->served.pool);
    }
}

static void json_export(struct text_out *out, const struct report_export *e)
{
    text_out_add(out, "{\"name\":");
    text_out_json(out, e->name);
    text_out_add(out, ",\"source\":");
    text_out_json(out, e->source ? e->source : "");
    text_out_add(out, ",\"size\":%" PRIu64 ",\"read_only\":%s,\"clients\":%u,", e->size_bytes,
                 e->read_only ? "true" : "false", e->clients);
    json_engine(out, e);
    json_counters(out, &e->stats);
    text_out_add(out, "}");
}

static void json_client(struct text_out *out, const struct report_client *c)
{
    text_out_add(out, "{\"number\":%" PRIu64 ",\"thread\":%d,\"peer\":", c->number, c->thread);
    text_out_json(out, c->peer);
    text_out_add(out, ",\"state\":\"%s\",\"export\":", c->state);
    if (c->name) {
        text_out_json(out, c->name);
    } else {
        text_out_add(out, "null");
    }
    text_out_add(out,
                 ",\"age_seconds\":%.3f,\"still_seconds\":%.3f,\"in_flight\":%" PRIu32
                 ",\"in_flight_bytes\":%" PRIu64 ",",
                 c->age_s, c->still_s, c->requests, c->payload_bytes);
    json_counters(out, &c->stats);
    text_out_add(out, "}");
}

void report_write_json(struct text_out *out, const struct report_head *head, const struct report *r)
{
    text_out_add(out,
                 "{\"version\":\"%s\",\"uptime_seconds\":%.3f,\"threads\":%d,"
                 "\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"knocks\":%" PRIu64
                 ",\"accept_pauses\":%" PRIu64 ",\"made_room\":%" PRIu64
                 ",\"memory_bytes\":%" PRIu64 ",\"total\":{",
                 head->version, head->uptime_s, head->threads, head->accepted, head->refused,
                 head->knocks, head->pauses, r->made_room, r->lent_bytes);
    json_counters(out, &r->total);
    text_out_add(out, "},\"exports\":[");
    for (int i = 0; i < r->export_count; i++) {
        text_out_add(out, "%s", i > 0 ? "," : "");
        json_export(out, &r->exports[i]);
    }
    text_out_add(out, "],\"clients\":[");
    for (int i = 0; i < r->client_count; i++) {
        text_out_add(out, "%s", i > 0 ? "," : "");
        json_client(out, &r->clients[i]);
    }
    text_out_add(out, "]}\n");
}

/* ---- Prometheus ---- */

static void prom_head(struct text_out *out, const char *name, const char *type, const char *help)
{
    text_out_add(out, "# HELP aiox_nbd_%s %s\n# TYPE aiox_nbd_%s %s\n", name, help, name, type);
}

static void prom_number(struct text_out *out, const char *name, const char *type, const char *help,
                        double value)
{
    prom_head(out, name, type, help);
    text_out_add(out, "aiox_nbd_%s %.17g\n", name, value);
}

/* One line of a family: the counter @c of each export. */
static void prom_counter(struct text_out *out, const struct counter *c, const struct report *r)
{
    for (int i = 0; i < r->export_count; i++) {
        text_out_add(out, "aiox_nbd_%s_total{export=", c->family);
        text_out_label(out, r->exports[i].name);
        text_out_add(out, "%s%s} %" PRIu64 "\n", c->label ? "," : "", c->label ? c->label : "",
                     value_of(c, &r->exports[i].stats));
    }
}

static void prom_counters(struct text_out *out, const struct report *r)
{
    const char *family = "";

    for (int i = 0; i < COUNTERS; i++) {
        if (strcmp(counters[i].family, family) != 0) { /* rows of a family stand together */
            family = counters[i].family;
            text_out_add(out, "# HELP aiox_nbd_%s_total Of each export.\n", family);
            text_out_add(out, "# TYPE aiox_nbd_%s_total counter\n", family);
        }
        prom_counter(out, &counters[i], r);
    }
}

static void prom_exports(struct text_out *out, const struct report *r)
{
    prom_head(out, "export_size_bytes", "gauge", "What is served.");
    for (int i = 0; i < r->export_count; i++) {
        text_out_add(out, "aiox_nbd_export_size_bytes{export=");
        text_out_label(out, r->exports[i].name);
        text_out_add(out, "} %" PRIu64 "\n", r->exports[i].size_bytes);
    }
    prom_head(out, "export_clients", "gauge", "Clients that have chosen it.");
    for (int i = 0; i < r->export_count; i++) {
        text_out_add(out, "aiox_nbd_export_clients{export=");
        text_out_label(out, r->exports[i].name);
        text_out_add(out, "} %u\n", r->exports[i].clients);
    }
}

static void prom_engine(struct text_out *out, const struct report_export *e, const char *engine,
                        uint64_t value)
{
    text_out_add(out, "aiox_nbd_file_requests_total{export=");
    text_out_label(out, e->name);
    text_out_add(out, ",engine=\"%s\"} %" PRIu64 "\n", engine, value);
}

static void prom_engines(struct text_out *out, const struct report *r)
{
    prom_head(out, "file_requests_total", "counter", "Requests to files, by who served them.");
    for (int i = 0; i < r->export_count; i++) {
        const struct report_export *e = &r->exports[i];

        if (e->has_served) {
            prom_engine(out, e, "ring", e->served.ring);
            prom_engine(out, e, "linux_aio", e->served.linux_aio);
            prom_engine(out, e, "inline", e->served.at_once);
            prom_engine(out, e, "pool", e->served.pool);
        }
    }
}

static void prom_clients(struct text_out *out, const struct report_head *head,
                         const struct report *r)
{
    prom_head(out, "clients", "gauge", "Clients of each event loop.");
    for (int thread = 0; thread < head->threads; thread++) {
        int n = 0;

        for (int i = 0; i < r->client_count; i++) {
            n += r->clients[i].thread == thread;
        }
        text_out_add(out, "aiox_nbd_clients{thread=\"%d\"} %d\n", thread, n);
    }
    prom_head(out, "thread_requests_total", "counter", "Requests answered by each event loop.");
    for (int thread = 0; thread < head->threads; thread++) {
        text_out_add(out, "aiox_nbd_thread_requests_total{thread=\"%d\"} %" PRIu64 "\n", thread,
                     r->requests[thread]);
    }
}

void report_write_prometheus(struct text_out *out, const struct report_head *head,
                             const struct report *r)
{
    prom_head(out, "build_info", "gauge", "The version, as a label.");
    text_out_add(out, "aiox_nbd_build_info{version=\"%s\"} 1\n", head->version);
    prom_number(out, "uptime_seconds", "gauge", "Since the start.", head->uptime_s);
    prom_number(out, "clients_accepted_total", "counter", "Clients that came.",
                (double)head->accepted);
    prom_number(out, "clients_refused_total", "counter", "Of those, sent away for their number.",
                (double)head->refused);
    prom_number(out, "handshakes_ended_total", "counter",
                "Clients that had to leave before they chose, for others.", (double)r->made_room);
    prom_number(out, "accept_pauses_total", "counter",
                "How often descriptors or memory were too short to accept.", (double)head->pauses);
    prom_number(out, "request_memory_bytes", "gauge", "Memory of requests under way.",
                (double)r->lent_bytes);
    prom_clients(out, head, r);
    prom_exports(out, r);
    prom_engines(out, r);
    prom_counters(out, r);
}
