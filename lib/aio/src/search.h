/* SPDX-License-Identifier: MIT */
/*
 * search.h - which backends there are, before anybody looks inside.
 */
#ifndef AIOX_AIO_SRC_SEARCH_H_
#define AIOX_AIO_SRC_SEARCH_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"

#include "candidates.h"

/*
 * Finds every candidate in search order: what is linked in, then, if @files,
 * the directories of @from->path, those beside this library, the system's.
 * Runs no code of a file. A directory or file that cannot be trusted is a
 * candidate that has failed; a directory of @from->path that cannot be
 * searched is one without a name. 0 or -ENOMEM.
 */
AIOX_NODISCARD int search_(struct candidates *out, const struct aiox_backend_sources *from,
                           bool files);

/* Like search_() with one candidate, the file @path. */
AIOX_NODISCARD int search_file_(struct candidates *out, const char *path);

#endif /* AIOX_AIO_SRC_SEARCH_H_ */
