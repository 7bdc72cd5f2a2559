/* SPDX-License-Identifier: MIT */
/*
 * worker_exports.c - three lists: those for new clients, those to come, those
 * that go.
 *
 * What is taken out of the list keeps its pointer to the next one: a client that
 * stands there while it lists goes on from it. What it meets from there on was
 * in the list when it came, or later, so none of that is closed before it has
 * chosen.
 */
#include "worker_exports.h"

#include <string.h>

#include "text.h"
#include "worker.h"

int worker_exports_prepare(struct worker *w, const struct export_plan *plan, struct aiox_error *err)
{
    for (int i = 0; i < plan->count; i++) {
        struct export_spec spec = plan->specs[i];
        int error;

        if (plan->kept[i]) {
            continue;
        }
        if (plan->model) {
            spec.sibling = export_list_find(plan->model, spec.name, strlen(spec.name));
        }
        error = export_list_open(&w->pending, w->ctx, &spec, err);
        if (error < 0) {
            export_list_close(&w->pending);
            return error;
        }
    }
    return 0;
}

void worker_exports_abandon(struct worker *w)
{
    export_list_close(&w->pending);
}

static bool stays(const struct export_plan *plan, const struct nbd_export *e)
{
    for (int i = 0; i < plan->count; i++) {
        if (plan->kept[i] && strcmp(plan->specs[i].name, e->name) == 0) {
            return true;
        }
    }
    return false;
}

void worker_exports_commit(struct worker *w, const struct export_plan *plan)
{
    struct nbd_export **at = &w->exports.first;

    while (*at) {
        struct nbd_export *e = *at;

        if (stays(plan, e)) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        e->retired_before = w->last_number + 1;
        e->retired_next = w->retired;
        w->retired = e;
        client_stop_those_of(&w->clients, e);
    }
    *at = w->pending.first;
    w->pending.first = NULL;
    export_list_choose_default(&w->exports);
    worker_exports_reap(w);
}

void worker_exports_reap(struct worker *w)
{
    struct nbd_export **at = &w->retired;

    while (*at) {
        struct nbd_export *e = *at;
        struct export_list alone = {.first = e};

        if (client_may_use(&w->clients, e, e->retired_before)) {
            at = &e->retired_next;
            continue;
        }
        *at = e->retired_next;
        e->next = NULL;
        export_list_close(&alone);
    }
}

void worker_exports_explain(const struct worker *w, struct text_out *out)
{
    for (struct nbd_export *e = w->exports.first; e; e = e->next) {
        struct export_engine engine;
        char quoted[TEXT_QUOTED];

        e->ops->explain(e, &engine);
        text_out_add(out, "export %s is served by %s\n", text_quote(quoted, e->name, e->name_bytes),
                     engine.why);
    }
}
