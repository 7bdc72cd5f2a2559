/* SPDX-License-Identifier: MIT */
/*
 * report_json.c - a report as JSON.
 */
#include <inttypes.h>

#include "report_counters.h"

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
                 ",\"tls\":%s,\"age_seconds\":%.3f,\"still_seconds\":%.3f,\"in_flight\":%" PRIu32
                 ",\"in_flight_bytes\":%" PRIu64 ",",
                 c->encrypted ? "true" : "false", c->age_s, c->still_s, c->requests,
                 c->payload_bytes);
    json_counters(out, &c->stats);
    text_out_add(out, "}");
}

void report_write_json(struct text_out *out, const struct report_head *head, const struct report *r)
{
    text_out_add(
        out,
        "{\"version\":\"%s\",\"uptime_seconds\":%.3f,\"threads\":%d,"
        "\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"knocks\":%" PRIu64
        ",\"accept_pauses\":%" PRIu64 ",\"made_room\":%" PRIu64 ",\"tls_handshakes\":%" PRIu64
        ",\"tls_failures\":%" PRIu64 ",\"memory_bytes\":%" PRIu64 ",\"total\":{",
        head->version, head->uptime_s, head->threads, head->accepted, head->refused, head->knocks,
        head->pauses, r->made_room, r->tls.done, r->tls.failed, r->lent_bytes);
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
