/* SPDX-License-Identifier: MIT */
/*
 * candidates.h - a list of backends that may be chosen, first come first.
 */
#ifndef AIOX_AIO_SRC_CANDIDATES_H_
#define AIOX_AIO_SRC_CANDIDATES_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"

#include "plugin.h"

struct candidate {
    struct aiox_backend_report report; /* name and path; stage CHOSEN while nothing is wrong */
    const struct aiox_fdmon_plugin *linked_in; /* NULL: a file */
    const struct plugin *code;                 /* NULL: not let in yet */
    bool shadowed;                             /* another one of that name came first */
    bool is_looked_at;                         /* its report was handed out */
};

/* All zero: empty. */
struct candidates {
    struct candidate *items;
    int count;
    int room_;
    char **dirs; /* where files were looked for */
    int dir_count;
};

/* A new last one, empty; NULL: no memory. Moves the others. */
struct candidate *candidates_add_(struct candidates *c);

/* Marks the last one if a sound one of its name came before. */
void candidates_shadow_last_(struct candidates *c);

/* Notes that @dir was looked in. 0, -EEXIST if it was before, or -ENOMEM. */
AIOX_NODISCARD int candidates_note_dir_(struct candidates *c, const char *dir);

/* The one that stands for @name, a failed one if there is no other; NULL: none. */
struct candidate *candidates_find_(const struct candidates *c, const char *name);

/* Lets in the code of @one. 0, or a negative errno with the reason in its report. */
AIOX_NODISCARD int candidate_load_(struct candidate *one);

/* Leaves it all zero. */
void candidates_free_(struct candidates *c);

#endif /* AIOX_AIO_SRC_CANDIDATES_H_ */
