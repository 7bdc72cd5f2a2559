/* SPDX-License-Identifier: MIT */
/*
 * recall.h - a choice that was made before, for the next context that asks for the same.
 */
#ifndef AIOX_AIO_SRC_RECALL_H_
#define AIOX_AIO_SRC_RECALL_H_

#include "backend.h"
#include "plugin.h"

/*
 * The plugin that was chosen for the same @spec and @from in this process, with
 * the reports of that time in @reports, which was empty; NULL: there is none to
 * go by. Whether it still works is for the caller to see.
 */
const struct plugin *recall_(const struct backend_sources *from, const char *spec,
                             struct backend_reports *reports);

/* Remembers the choice of @code, for which nothing had failed, instead of the one before. */
void remember_(const struct backend_sources *from, const char *spec, const struct plugin *code,
               const struct backend_reports *reports);

/* For tests, whose backends change their minds. */
void recall_forget_(void);

#endif /* AIOX_AIO_SRC_RECALL_H_ */
