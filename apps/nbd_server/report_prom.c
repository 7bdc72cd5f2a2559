/* SPDX-License-Identifier: MIT */
/*
 * report_prom.c - a report in the text format of Prometheus.
 */
#include <inttypes.h>
#include <string.h>

#include "aiox/clock.h"

#include "report_counters.h"
#include "wire.h"

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

/* ---- latency ---- */

static const char *const latency_commands[TRAFFIC_COMMANDS] = {
    [NBD_CMD_READ] = "read",           [NBD_CMD_WRITE] = "write", [NBD_CMD_FLUSH] = "flush",
    [NBD_CMD_TRIM] = "trim",           [NBD_CMD_CACHE] = "cache", [NBD_CMD_WRITE_ZEROES] = "zero",
    [NBD_CMD_BLOCK_STATUS] = "status",
};

static void prom_latency_name(struct text_out *out, const char *suffix,
                              const struct report_export *e, int command)
{
    text_out_add(out, "aiox_nbd_request_seconds_%s{export=", suffix);
    text_out_label(out, e->name);
    text_out_add(out, ",type=\"%s\"", latency_commands[command]);
}

/* The histogram of one command, unless there was none. */
static void prom_latency(struct text_out *out, const struct report_export *e, int command)
{
    uint64_t below = 0, all = 0;

    for (int i = 0; i < TRAFFIC_BUCKETS; i++) {
        all += e->latency.counts[command][i];
    }
    for (int i = 0; all > 0 && i < TRAFFIC_BUCKETS - 1; i++) {
        double bound_s = (double)(UINT64_C(1) << (TRAFFIC_FIRST_BOUND + i)) / AIOX_NS_PER_S;

        below += e->latency.counts[command][i];
        prom_latency_name(out, "bucket", e, command);
        text_out_add(out, ",le=\"%.9f\"} %" PRIu64 "\n", bound_s, below);
    }
    if (all > 0) {
        prom_latency_name(out, "bucket", e, command);
        text_out_add(out, ",le=\"+Inf\"} %" PRIu64 "\n", all);
        prom_latency_name(out, "sum", e, command);
        text_out_add(out, "} %.9f\n", (double)e->latency.sum_ns[command] / AIOX_NS_PER_S);
        prom_latency_name(out, "count", e, command);
        text_out_add(out, "} %" PRIu64 "\n", all);
    }
}

static void prom_latencies(struct text_out *out, const struct report *r)
{
    prom_head(out, "request_seconds", "histogram",
              "From the header of a request until its reply was handed to the socket.");
    for (int i = 0; i < r->export_count; i++) {
        for (int command = 0; command < TRAFFIC_COMMANDS; command++) {
            if (latency_commands[command]) {
                prom_latency(out, &r->exports[i], command);
            }
        }
    }
}

/* ---- encryption ---- */

static void prom_tls(struct text_out *out, const struct report *r)
{
    int encrypted = 0;

    for (int i = 0; i < r->client_count; i++) {
        encrypted += r->clients[i].encrypted;
    }
    prom_number(out, "tls_clients", "gauge", "Clients that speak TLS.", encrypted);
    prom_number(out, "tls_handshakes_total", "counter", "TLS handshakes that were finished.",
                (double)r->tls.done);
    prom_number(out, "tls_handshakes_failed_total", "counter", "TLS handshakes that failed.",
                (double)r->tls.failed);
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
    prom_latencies(out, r);
    prom_tls(out, r);
}
