/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line.
 */
#ifndef AIOX_NBD_OPTIONS_H_
#define AIOX_NBD_OPTIONS_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/log.h"

#include "export.h"

AIOX_BEGIN_DECLS

enum {
    OPTIONS_LISTEN_MAX = 16,
    OPTIONS_EXPORT_MAX = 1024,
};

struct options_listen {
    bool is_unix;
    const char *where;
};

enum options_wish {
    OPTIONS_SERVE,
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

struct options {
    enum options_wish wish;
    struct options_listen listen[OPTIONS_LISTEN_MAX];
    int listens;
    struct export_spec *exports; /* OPTIONS_EXPORT_MAX of them */
    int export_count;
    bool read_only;
    const char *fdmon; /* NULL: nothing was said */
    unsigned long max_clients;
    int64_t handshake_ns; /* 0: no limit */
    int64_t stop_ns;
    uint64_t memory_bytes; /* for requests of all clients */
    enum aiox_log_level log_level;
};

/*
 * Reads @argv, which is taken apart in place and reordered. It must outlive @out, until
 * options_fini(), which is due in any case.
 *
 *   -EINVAL   not an option, or not a value of it; @err says which
 *   -ENOMEM   no memory
 *
 * [init]
 */
AIOX_NODISCARD int options_parse(struct options *out, int argc, char **argv,
                                 struct aiox_error *err);

void options_fini(struct options *o);

/* What --help prints. Static. [any] */
extern const char options_help[];

AIOX_END_DECLS

#endif /* AIOX_NBD_OPTIONS_H_ */
