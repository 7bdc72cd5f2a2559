/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - how a backend comes to life, step by step.
 */
#ifndef AIOX_AIO_SRC_MONITOR_H_
#define AIOX_AIO_SRC_MONITOR_H_

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

#endif /* AIOX_AIO_SRC_MONITOR_H_ */
