/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the user said, on the command line and in a file.
 *
 * The file says the same things by the same names; the command line is heard
 * last, so it wins. What may be said often (exports, places) adds up.
 */
#ifndef AIOX_NBD_OPTIONS_H_
#define AIOX_NBD_OPTIONS_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/log.h"

#include "export.h"
#include "handshake.h"
#include "tls.h"

AIOX_BEGIN_DECLS

enum {
    OPTIONS_LISTEN_MAX = 16,
    OPTIONS_EXPORT_MAX = 1024,
    OPTIONS_THREADS_MAX = 64,
};

/* Each thread has its share of --max-memory, which holds a request of the longest kind. */
#define OPTIONS_THREAD_MEMORY (UINT64_C(64) << 20)

enum options_place {
    OPTIONS_TCP,
    OPTIONS_UNIX,
    OPTIONS_VSOCK,
    OPTIONS_STDIO, /* the one client is there already, at descriptor 0 */
};

struct options_listen {
    enum options_place place;
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
    bool listens_by_default;     /* nothing was said */
    struct export_spec *exports; /* OPTIONS_EXPORT_MAX of them */
    int export_count;
    bool read_only;
    const char *fdmon; /* NULL: nothing was said; so with all words below */
    unsigned long threads;
    int64_t busy_poll_ns; /* 0: off */
    unsigned long max_clients;
    unsigned long max_handshakes;
    enum handshake_tls tls;
    bool tls_is_said;
    const char *tls_certs;     /* a folder, NULL without TLS */
    const char *tls_psk;       /* a file, likewise */
    struct tls_keys *tls_keys; /* of options_open_keys() */
    int64_t handshake_ns;      /* 0: no limit */
    int64_t idle_ns;           /* 0: no limit */
    int64_t stop_ns;
    uint64_t memory_bytes; /* for requests of all clients */
    const char *stats;
    const char *run;
    const char *user;
    const char *pid_file;
    const char *config;
    bool daemon;
    enum aiox_log_level log_level;

    char *words; /* the command line, our own */
    char *text;  /* the file */
};

/*
 * Reads @argv, which is copied and stays as it is, and the file that --config
 * names. options_fini() is due in any case.
 *
 *   -EINVAL   not an option, or not a value of it; @err says which, and where
 *   -ENOMEM   no memory
 *   other     of reading the file
 *
 * [any], but one at a time
 */
AIOX_NODISCARD int options_parse(struct options *out, int argc, char *const *argv,
                                 struct aiox_error *err);

/*
 * Reads the keys that were said, if there are any. Errors of tls_keys_open(), with
 * -EOPNOTSUPP never: options_parse() has seen to that. Blocks. [any]
 */
AIOX_NODISCARD int options_open_keys(struct options *o, struct aiox_error *err);

void options_fini(struct options *o);

/* The same for options that were allocated, and frees them; NULL is allowed. [any] */
void options_free(struct options *o);

/* What --help prints. Static. [any] */
extern const char options_help[];

AIOX_END_DECLS

#endif /* AIOX_NBD_OPTIONS_H_ */
