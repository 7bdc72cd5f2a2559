/* SPDX-License-Identifier: MIT */
/*
 * options_rows.h - the options one by one: for the command line (options.c) and
 * the file (config.c).
 */
#ifndef AIOX_NBD_OPTIONS_ROWS_H_
#define AIOX_NBD_OPTIONS_ROWS_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

#include "options.h"

AIOX_BEGIN_DECLS

enum option_kind {
    OPTION_FLAG,  /* "--read-only", "read-only = yes" */
    OPTION_VALUE, /* "--unix PATH", "unix = PATH" */
    OPTION_HERE,  /* a flag, of the command line only */
    OPTION_NAMES, /* a value, of the command line only */
};

struct option_row {
    const char *name;
    char letter; /* or 0 */
    enum option_kind kind;
    /* @value is taken apart in place and outlives @o; NULL for a flag. 0 or -EINVAL. */
    int (*take)(struct options *o, char *value, struct aiox_error *err);
};

/* Ends with a row without a name. */
extern const struct option_row options_rows[];

static inline bool option_has_value(const struct option_row *row)
{
    return row->kind == OPTION_VALUE || row->kind == OPTION_NAMES;
}

/* The next export, empty but for its name; NULL: there are too many. [any] */
struct export_spec *options_add_export(struct options *o, const char *name, struct aiox_error *err);

/*
 * Takes one word on an export, "read-only", "cow=SIZE", "description=TEXT";
 * @value, which outlives @spec, is what stands behind the "=" in the command line
 * or the file; NULL: nothing. 0 or -EINVAL. [any]
 */
int options_export_word(struct export_spec *spec, const char *word, const char *value,
                        struct aiox_error *err);

/* "yes" or "no". False: neither. [any] */
bool options_yes_or_no(const char *text, bool *out);

AIOX_END_DECLS

#endif /* AIOX_NBD_OPTIONS_ROWS_H_ */
