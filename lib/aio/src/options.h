/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the user set for one backend.
 */
#ifndef AIOX_AIO_SRC_OPTIONS_H_
#define AIOX_AIO_SRC_OPTIONS_H_

#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/fdmon.h"

struct backend_options;

/* 0; -EINVAL: @text is not "name.key=value,..."; @err says where. NULL is good. */
AIOX_NODISCARD int options_check_(const char *text, struct aiox_error *err);

/*
 * Takes what @text, which is good, sets for @plugin. *@out is to be freed with free(3).
 *
 *   -ENOMEM   no memory
 *   -EINVAL   @plugin has no such option; @err names it and what was meant
 */
AIOX_NODISCARD int options_new_(struct backend_options **out, const char *text,
                                const struct aiox_fdmon_plugin *plugin, struct aiox_error *err);

/* The value of the option @key: as set, else its default; NULL if there is no such option. */
const char *options_get_(const struct backend_options *o, const char *key);

/* A second one with the same values; NULL: no memory. */
struct backend_options *options_copy_(const struct backend_options *o);

#endif /* AIOX_AIO_SRC_OPTIONS_H_ */
