/* SPDX-License-Identifier: MIT */
/*
 * plugin.h - code of backends that was let into this process, for good.
 */
#ifndef AIOX_AIO_SRC_PLUGIN_H_
#define AIOX_AIO_SRC_PLUGIN_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"

#include "negotiate.h"

/* Never changes and never goes. */
struct plugin {
    struct plugin *next;
    struct tables tables;
    const struct aiox_fdmon_plugin *theirs;
    char path[256]; /* resolved; empty: linked in */
};

/* Lets in a descriptor that is linked in. 0, or a negative errno with the reason in @r. [any] */
AIOX_NODISCARD int plugin_linked_in_(const struct plugin **out,
                                     const struct aiox_fdmon_plugin *theirs,
                                     struct aiox_backend_report *r);

/*
 * Opens the file @path, which is resolved and trusted, and lets in its backend
 * @name. A file is judged and opened once; later calls find it again, also
 * when another one has taken its path meanwhile. [any]
 */
AIOX_NODISCARD int plugin_load_(const struct plugin **out, const char *path, const char *name,
                                struct aiox_backend_report *r);

/* Judges the file of @r by what stands in it, running nothing; @r has its version then. [any] */
void plugin_look_(struct aiox_backend_report *r);

/* True once aiox_plugins_disable() was called. [any] */
bool plugins_are_disabled_(void);

#endif /* AIOX_AIO_SRC_PLUGIN_H_ */
