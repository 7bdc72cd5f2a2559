/* SPDX-License-Identifier: MIT */
/*
 * report.c - copies what a worker knows, and joins the copies.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/clock.h"

#include "worker.h"

/* One more of @bytes each behind the @count there are, zeroed; NULL: no memory. */
static void *grow(void **array, int *count, size_t bytes)
{
    void *more = realloc(*array, ((size_t)*count + 1) * bytes);
    char *last;

    if (!more) {
        return NULL;
    }
    *array = more;
    last = (char *)more + (size_t)*count * bytes;
    memset(last, 0, bytes);
    ++*count;
    return last;
}

static struct report_export *export_named(struct report *r, const char *name)
{
    struct report_export *e;
    void *array = r->exports;

    for (int i = 0; i < r->export_count; i++) {
        if (strcmp(r->exports[i].name, name) == 0) {
            return &r->exports[i];
        }
    }
    e = grow(&array, &r->export_count, sizeof(*e));
    r->exports = array;
    if (e) {
        e->name = strdup(name);
    }
    if (!e || !e->name) {
        r->export_count -= e != NULL;
        r->failed = true;
        return NULL;
    }
    return e;
}

static void collect_engine(struct report_export *copy, struct nbd_export *e)
{
    struct export_engine engine;

    e->ops->explain(e, &engine);
    snprintf(copy->engine, sizeof(copy->engine), "%s", engine.name);
    if (e->ops->served) {
        copy->has_served = true;
        e->ops->served(e, &copy->served);
    }
}

static void collect_exports(struct report *r, const struct worker *w)
{
    for (struct nbd_export *e = w->exports.first; e; e = e->next) {
        struct report_export *copy = export_named(r, e->name);

        if (copy && !copy->source) {
            copy->source = strdup(e->source);
            r->failed |= !copy->source;
            copy->size_bytes = e->size_bytes;
            copy->read_only = e->read_only;
            collect_engine(copy, e);
            traffic_add(&copy->stats, &e->left);
            traffic_add_latency(&copy->latency, &e->latency);
        }
    }
}

struct collector {
    struct report *report;
    const struct worker *worker;
};

static void collect_client(void *opaque, const struct client_view *view)
{
    struct collector *collector = opaque;
    struct report *r = collector->report;
    void *array = r->clients;
    struct report_client *c = grow(&array, &r->client_count, sizeof(*c));

    r->clients = array;
    if (!c) {
        r->failed = true;
        return;
    }
    c->number = view->number;
    c->thread = collector->worker->number;
    snprintf(c->peer, sizeof(c->peer), "%s", view->peer);
    c->state = view->state;
    c->encrypted = view->encrypted;
    c->age_s = (double)view->age_ns / (double)AIOX_NS_PER_S;
    c->still_s = (double)view->still_ns / (double)AIOX_NS_PER_S;
    c->requests = view->requests;
    c->payload_bytes = view->payload_bytes;
    c->stats = *view->stats;
    traffic_add(&r->total, &c->stats);
    if (view->chosen) {
        c->name = strdup(view->chosen->name);
        r->failed |= !c->name;
    }
    if (view->chosen && view->chosen->retired_before == 0) {
        struct report_export *e = export_named(r, view->chosen->name);

        if (e) {
            e->clients++;
            traffic_add(&e->stats, &c->stats);
        }
    }
}

void report_collect(struct report *r, const struct worker *w)
{
    struct collector collector = {.report = r, .worker = w};

    collect_exports(r, w);
    client_view_all(&w->clients, collect_client, &collector);
    r->lent_bytes = w->pool.lent_bytes;
    r->made_room = w->made_room;
    r->tls = w->tls_counts;
    traffic_add(&r->total, &w->left);
    r->requests[w->number] = traffic_requests(&r->total);
}

static void merge_export(struct report *to, struct report_export *from)
{
    struct report_export *e = export_named(to, from->name);

    if (!e) {
        return;
    }
    if (!e->source) {
        e->source = from->source;
        from->source = NULL;
        e->size_bytes = from->size_bytes;
        e->read_only = from->read_only;
        e->has_served = from->has_served;
        memcpy(e->engine, from->engine, sizeof(e->engine));
    }
    e->served.ring += from->served.ring;
    e->served.linux_aio += from->served.linux_aio;
    e->served.at_once += from->served.at_once;
    e->served.pool += from->served.pool;
    e->clients += from->clients;
    traffic_add(&e->stats, &from->stats);
    traffic_add_latency(&e->latency, &from->latency);
}

void report_merge(struct report *to, struct report *from)
{
    for (int i = 0; i < from->export_count; i++) {
        merge_export(to, &from->exports[i]);
    }
    for (int i = 0; i < from->client_count; i++) {
        void *array = to->clients;
        struct report_client *c = grow(&array, &to->client_count, sizeof(*c));

        to->clients = array;
        if (!c) {
            to->failed = true;
            break;
        }
        *c = from->clients[i];
        from->clients[i].name = NULL;
    }
    for (int i = 0; i < OPTIONS_THREADS_MAX; i++) {
        to->requests[i] += from->requests[i];
    }
    to->lent_bytes += from->lent_bytes;
    to->made_room += from->made_room;
    to->tls.done += from->tls.done;
    to->tls.failed += from->tls.failed;
    to->failed |= from->failed;
    traffic_add(&to->total, &from->total);
    report_fini(from);
}

void report_fini(struct report *r)
{
    for (int i = 0; i < r->export_count; i++) {
        free(r->exports[i].name);
        free(r->exports[i].source);
    }
    for (int i = 0; i < r->client_count; i++) {
        free(r->clients[i].name);
    }
    free(r->exports);
    free(r->clients);
    *r = (struct report){0};
}
