/* SPDX-License-Identifier: MIT */
/*
 * report.h - what became of a candidate, in words.
 */
#ifndef AIOX_AIO_SRC_REPORT_H_
#define AIOX_AIO_SRC_REPORT_H_

#include "aiox/attributes.h"
#include "aiox/backend.h"

#include "backend.h"

/* Notes where, why and with which errno @r ended; forgets its hint. Returns @error. */
AIOX_PRINTF(5, 6)
int report_set_(struct aiox_backend_report *r, enum aiox_backend_stage stage,
                enum aiox_fdmon_cause cause, int error, const char *format, ...);

/* Notes what to change. Returns the error that is in @r. */
AIOX_PRINTF(2, 3) int report_hint_(struct aiox_backend_report *r, const char *format, ...);

/* True if @r ended before anything could be chosen, and not because nobody wanted it. */
bool report_is_failure_(const struct aiox_backend_report *r);

/* Copies @what to the end of @r, which nobody shares. 0 or -ENOMEM. */
AIOX_NODISCARD int reports_add_(struct backend_reports *r, const struct aiox_backend_report *what);

/* Makes *@out, which is empty, another owner of what is in @from: nobody adds to it any more. */
void reports_share_(struct backend_reports *out, const struct backend_reports *from);

/* Puts @r as one sentence into @err: which file, which stage, which cause, what to change. */
int report_to_error_(const struct aiox_backend_report *r, struct aiox_error *err);

#endif /* AIOX_AIO_SRC_REPORT_H_ */
