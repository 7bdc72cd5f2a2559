/* SPDX-License-Identifier: MIT */
/*
 * spec.h - what somebody asked for, taken apart.
 */
#ifndef AIOX_AIO_SRC_SPEC_H_
#define AIOX_AIO_SRC_SPEC_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

#include "names.h"

/* More names than this in one specification are a mistake. */
#define SPEC_MAX 16

struct spec_choice {
    char name[NAME_BYTES]; /* empty: auto */
    bool must;             /* this one or an error */
};

struct spec {
    struct spec_choice choices[SPEC_MAX]; /* in this order; never empty */
    int choice_count;
    char excluded[SPEC_MAX][NAME_BYTES];
    int excluded_count;
    uint64_t caps; /* all of these */
    bool linked_in_only;
};

/* Takes @text apart (grammar: aiox/backend.h). -EINVAL, and @err says where and why. */
AIOX_NODISCARD int spec_parse_(struct spec *out, const char *text, struct aiox_error *err);

bool spec_excludes_(const struct spec *s, const char *name);

#endif /* AIOX_AIO_SRC_SPEC_H_ */
