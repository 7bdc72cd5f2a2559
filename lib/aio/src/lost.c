/* SPDX-License-Identifier: MIT */
/* lost.c - the backends that have failed a context, which are not tried again. */
#include "lost.h"

#include <stdio.h>
#include <string.h>

void lost_add_(struct lost *l, const char *name)
{
    if (l->count < SPEC_MAX) {
        snprintf(l->names[l->count++], NAME_BYTES, "%s", name);
    }
}

void lost_spec_(const struct lost *l, struct backend_wishes wishes, char *out)
{
    static const char *const caps[2][2] = {{"", ",caps:roams"},
                                           {",caps:pollfd", ",caps:pollfd+roams"}};
    size_t used = (size_t)snprintf(out, LOST_SPEC_BYTES, "auto");

    for (int i = 0; i < l->count; i++) {
        used += (size_t)snprintf(out + used, LOST_SPEC_BYTES - used, ",-%s", l->names[i]);
    }
    snprintf(out + used, LOST_SPEC_BYTES - used, "%s", caps[wishes.hosted][wishes.roaming]);
}
