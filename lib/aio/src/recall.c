/* SPDX-License-Identifier: MIT */
/*
 * recall.c - looking for backends is done once, not for each context.
 *
 * To search directories and to judge who may have written them takes hundreds
 * of system calls. A file that was let in is never closed, so there is nothing
 * new to be learned about it: the same question gets the same answer. What is
 * put into a directory later is seen by a process that asks differently, or for
 * which the answer does not work any more.
 */
#include "recall.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

struct answer {
    struct backend_sources from; /* options apart, which play no part in the search */
    char *spec;
    const struct plugin *code;
    struct backend_reports reports;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct answer last;

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool are_same_entries(aiox_fdmon_entry_fn *const *a, aiox_fdmon_entry_fn *const *b)
{
    size_t i = 0;

    while (a[i] && a[i] == b[i]) {
        i++;
    }
    return a[i] == b[i];
}

static bool is_same_question(const struct backend_sources *from, const char *spec)
{
    const struct backend_sources *then = &last.from;

    return is_same_text(last.spec, spec) && is_same_text(then->path, from->path) &&
           then->linked_in_only == from->linked_in_only && then->system_only == from->system_only &&
           are_same_entries(then->linked_in, from->linked_in);
}

static void forget(struct answer *a)
{
    backend_sources_free_(&a->from);
    backend_reports_free_(&a->reports);
    free(a->spec);
    memset(a, 0, sizeof(*a));
}

const struct plugin *recall_(const struct backend_sources *from, const char *spec,
                             struct backend_reports *reports)
{
    const struct plugin *code = NULL;

    pthread_mutex_lock(&lock);
    if (last.code && is_same_question(from, spec) &&
        (!last.code->path[0] || !plugins_are_disabled_())) {
        code = last.code;
        reports_share_(reports, &last.reports);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

void remember_(const struct backend_sources *from, const char *spec, const struct plugin *code,
               const struct backend_reports *reports)
{
    const struct aiox_backend_sources question = backend_sources_to_search_(from);
    struct answer a;

    memset(&a, 0, sizeof(a));
    a.spec = strdup(spec);
    if (a.spec && backend_sources_copy_(&a.from, &question) == 0) {
        a.code = code;
        reports_share_(&a.reports, reports);
    }
    pthread_mutex_lock(&lock);
    forget(&last);
    if (a.code) {
        last = a;
    }
    pthread_mutex_unlock(&lock);
    if (!a.code) {
        forget(&a);
    }
}

void recall_forget_(void)
{
    pthread_mutex_lock(&lock);
    forget(&last);
    pthread_mutex_unlock(&lock);
}
