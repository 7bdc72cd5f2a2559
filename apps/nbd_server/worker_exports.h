/* SPDX-License-Identifier: MIT */
/*
 * worker_exports.h - exports come and go while clients are here.
 *
 * In two steps, so that all workers change or none: what is new is opened and
 * kept apart (prepare), then it takes the place of what goes (commit) or is
 * closed again (abandon).
 *
 * Clients that are served by an export that goes are told to leave. One that
 * still looks through the list may stand at it. So it is closed when no client
 * is left that can know it.
 */
#ifndef AIOX_NBD_WORKER_EXPORTS_H_
#define AIOX_NBD_WORKER_EXPORTS_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

#include "export.h"
#include "text_out.h"

AIOX_BEGIN_DECLS

struct worker;

struct export_plan {
    const struct export_spec *specs;
    int count;
    bool *kept;                      /* spec i is served already, by its name, and stays */
    const struct export_list *model; /* pending exports of another worker: siblings; or NULL */
};

/* Errors are those of export_list_open(); nothing is pending then. [home], or [init] */
AIOX_NODISCARD int worker_exports_prepare(struct worker *w, const struct export_plan *plan,
                                          struct aiox_error *err);

/* [home] both, or [init] */
void worker_exports_commit(struct worker *w, const struct export_plan *plan);
void worker_exports_abandon(struct worker *w);

/* Closes what nobody can know any more. [home] */
void worker_exports_reap(struct worker *w);

/* Adds to @out of each export, a line each, who serves it, and why no better engine. [home] */
void worker_exports_explain(const struct worker *w, struct text_out *out);

AIOX_END_DECLS

#endif /* AIOX_NBD_WORKER_EXPORTS_H_ */
