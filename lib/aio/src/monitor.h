/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - how a backend comes to life, step by step.
 */
#ifndef AIOX_AIO_SRC_MONITOR_H_
#define AIOX_AIO_SRC_MONITOR_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"

#include "backend.h"
#include "plugin.h"

/*
 * Makes a backend of @code that has no monitor yet; its host table works.
 * @options is good, or NULL. 0, or a negative errno with the reason in @r.
 */
AIOX_NODISCARD int backend_make_(struct backend **out, const struct plugin *code,
                                 const char *options, struct aiox_backend_report *r);

/* Asks whether it works here and now. 0 (@r may have words), or a negative errno. */
AIOX_NODISCARD int backend_probe_(struct backend *b, struct aiox_backend_report *r);

/* Opens its monitor. 0, or a negative errno with the reason in @r. */
AIOX_NODISCARD int backend_start_(struct backend *b, struct aiox_backend_report *r);

/*
 * Opens what the same @spec has chosen among the same @from before, with the
 * reports of that time in @reports (NULL: of no interest), which is empty.
 * False: there is nothing to go by, or it does not open any more.
 */
AIOX_NODISCARD bool backend_open_again_(struct backend **out, const struct backend_sources *from,
                                        const char *spec, struct backend_reports *reports);

#endif /* AIOX_AIO_SRC_MONITOR_H_ */
