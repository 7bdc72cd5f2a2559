/* SPDX-License-Identifier: MIT */
/*
 * team.c - a question travels as one letter for each worker, and each letter
 * comes back as the answer.
 */
#include "team.h"

#include <errno.h>
#include <stdlib.h>

int team_open(struct team *t, struct aiox_context *ctx, const struct options *options,
              struct aiox_bh *news, struct aiox_error *err)
{
    int error = 0;

    t->workers = calloc(options->threads, sizeof(*t->workers));
    if (!t->workers || mailbox_open(&t->answers, ctx) < 0) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    t->host.news = news;
    for (int i = 0; error == 0 && i < (int)options->threads; i++) {
        t->count++;
        error = worker_open(&t->workers[i], i, i == 0 ? ctx : NULL, options, &t->host, err);
    }
    return error;
}

/* ---- questions ---- */

static void answered(struct letter *l)
{
    struct team_ask *ask = AIOX_CONTAINER_OF(l, struct team_part, letter)->ask;

    if (--ask->missing == 0) {
        ask->team->asking--;
        ask->done(ask);
    }
}

static void asked(struct letter *l)
{
    struct team_part *part = AIOX_CONTAINER_OF(l, struct team_part, letter);
    struct mailbox *answers = &part->ask->team->answers;

    part->ask->each(part->ask, part->worker);
    l->open = answered;
    mailbox_send(answers, l);
}

void team_ask_all(struct team *t, struct team_ask *ask, team_each_fn *each, team_done_fn *done)
{
    ask->team = t;
    ask->each = each;
    ask->done = done;
    ask->missing = t->count;
    t->asking++;
    for (int i = 0; i < t->count; i++) {
        ask->parts[i] = (struct team_part){
            .letter = {.open = asked},
            .ask = ask,
            .worker = &t->workers[i],
        };
        mailbox_send(&t->workers[i].mailbox, &ask->parts[i].letter);
    }
}

/* ---- clients ---- */

struct worker *team_choose(struct team *t)
{
    struct worker *best = &t->workers[0];

    for (int i = 1; i < t->count; i++) {
        if (worker_present(&t->workers[i]) < worker_present(best)) {
            best = &t->workers[i];
        }
    }
    return best;
}

unsigned long team_present(const struct team *t)
{
    unsigned long sum = 0;

    for (int i = 0; i < t->count; i++) {
        sum += worker_present(&t->workers[i]);
    }
    return sum;
}

/* ---- the end ---- */

static void leave_loop(struct team_ask *ask, struct worker *w)
{
    if (w->number > 0) {
        worker_leave_loop(w);
    }
}

static void all_left(struct team_ask *ask)
{
}

void team_close(struct team *t)
{
    struct team_ask ask = {0};
    int opened = 0;

    while (opened < t->count && t->workers[opened].settled) {
        opened++;
    }
    if (opened > 1) { /* worker 0 has the manager's loop and leaves it here */
        int count = t->count;

        t->count = opened;
        team_ask_all(t, &ask, leave_loop, all_left);
        while (team_is_asking(&ask)) {
            aiox_poll(t->workers[0].ctx, true);
        }
        t->count = count;
    }
    if (opened > 0) {
        worker_leave_loop(&t->workers[0]);
    }
    for (int i = 0; i < t->count; i++) {
        worker_close(&t->workers[i]);
    }
    if (t->workers) {
        mailbox_close(&t->answers);
    }
    free(t->workers);
    *t = (struct team){0};
}
