/* SPDX-License-Identifier: MIT */
/* lost.h - the backends that have failed a context, which are not tried again. */
#ifndef AIOX_AIO_SRC_LOST_H_
#define AIOX_AIO_SRC_LOST_H_

#include <stddef.h>

#include "backend.h"
#include "names.h"
#include "spec.h"

/* All zero: none. Of more than fit, the last ones are forgotten. */
struct lost {
    char names[SPEC_MAX][NAME_BYTES];
    int count;
};

enum { LOST_SPEC_BYTES = (SPEC_MAX + 2) * (NAME_BYTES + 2) };

void lost_add_(struct lost *l, const char *name);

/* Writes into @out[LOST_SPEC_BYTES] what aiox_context_setup() would be asked for: any but those. */
void lost_spec_(const struct lost *l, struct backend_wishes wishes, char *out);

#endif /* AIOX_AIO_SRC_LOST_H_ */
