/* SPDX-License-Identifier: MIT */
/*
 * options.c - one row per option, one function per kind of value.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/clock.h"

#include "text.h"

const char options_help[] =
    "Usage: aiox-nbd [OPTION]... [FILE]\n"
    "Serves files, block devices or memory to clients of the NBD protocol.\n"
    "\n"
    "What to serve\n"
    "  FILE                   the default export\n"
    "  --export NAME=FILE     an export by name; any number of them\n"
    "                         FILE is a path or memory:SIZE; \",read-only\" behind it\n"
    "                         holds for this one; a comma of its own is written \",,\"\n"
    "                         \",cow\" keeps what is written in a temporary file and\n"
    "                         leaves FILE as it is, \",cow=SIZE\" at most so much of it\n"
    "  -r, --read-only        all exports are read-only\n"
    "\n"
    "Where to listen; any number of these, 127.0.0.1:10809 if there is none\n"
    "  -u, --unix PATH        a unix socket\n"
    "  -t, --tcp HOST:PORT    TCP; port 0 is any free one, \":PORT\" all addresses\n"
    "\n"
    "How\n"
    "  --fdmon SPEC           the loop's backend: io_uring, epoll, poll, auto, ...\n"
    "                         (AIOX_FDMON says the same; default: auto)\n"
    "  --max-clients N        at most so many at once (1024)\n"
    "  --max-memory SIZE      for requests of all clients together (1G)\n"
    "  --handshake-timeout S  seconds until a client must have chosen (30; 0: for ever)\n"
    "  --stop-timeout S       seconds for requests under way at a stop (10)\n"
    "  -v, --verbose          tell of clients that come and go\n"
    "  -q, --quiet            tell of errors only\n"
    "  -h, --help             this text\n"
    "  -V, --version          the version\n"
    "\n"
    "The URIs of all exports are printed when the server is ready. SIGTERM, SIGINT\n"
    "or SIGHUP stops it: requests under way are finished first; a second signal does not\n"
    "wait. Exit codes: 0 stopped, 1 could not start, 2 wrong usage.\n"
    "\n"
    "Examples\n"
    "  aiox-nbd --unix /run/disk.sock disk.img\n"
    "  aiox-nbd --tcp :10809 --export boot=boot.img,read-only --export data=/dev/vdb\n"
    "  aiox-nbd --tcp 127.0.0.1:0 memory:1G\n"
    "  nbdinfo 'nbd+unix:///?socket=/run/disk.sock'\n";

static int add_listen(struct options *o, const char *where, bool is_unix, struct aiox_error *err)
{
    if (o->listens == OPTIONS_LISTEN_MAX) {
        return aiox_error_set(err, -EINVAL, "at most %d places to listen", OPTIONS_LISTEN_MAX);
    }
    o->listen[o->listens++] = (struct options_listen){.is_unix = is_unix, .where = where};
    return 0;
}

static int take_unix(struct options *o, char *value, struct aiox_error *err)
{
    return add_listen(o, value, true, err);
}

static int take_tcp(struct options *o, char *value, struct aiox_error *err)
{
    return add_listen(o, value, false, err);
}

/*
 * Ends @text at its first single comma, turns double ones into one, and returns
 * what is behind the single one, or NULL.
 */
static char *split_at_comma(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (*text == ',' && *++text != ',') {
            *to = '\0';
            return text;
        }
        *to++ = *text;
    }
    *to = '\0';
    return NULL;
}

/* @source is taken apart in place. */
static int add_export(struct options *o, const char *name, char *source, struct aiox_error *err)
{
    struct export_spec spec = {.name = name, .source = source};

    if (o->export_count == OPTIONS_EXPORT_MAX) {
        return aiox_error_set(err, -EINVAL, "at most %d exports", OPTIONS_EXPORT_MAX);
    }
    for (char *word = split_at_comma(source), *next; word; word = next) {
        next = split_at_comma(word);
        if (strcmp(word, "read-only") == 0) {
            spec.read_only = true;
        } else if (strcmp(word, "cow") == 0) {
            spec.cow = true;
        } else if (strncmp(word, "cow=", 4) == 0 && text_to_size(word + 4, &spec.cow_bytes)) {
            spec.cow = true;
        } else {
            return aiox_error_set(err, -EINVAL, "'%s' is not an option of an export", word);
        }
    }
    o->exports[o->export_count++] = spec;
    return 0;
}

static int take_export(struct options *o, char *value, struct aiox_error *err)
{
    char *equals = strchr(value, '=');

    if (!equals || equals[1] == '\0') {
        return aiox_error_set(err, -EINVAL, "'%s' is not NAME=FILE", value);
    }
    *equals = '\0';
    return add_export(o, value, equals + 1, err);
}

static int take_read_only(struct options *o, char *value, struct aiox_error *err)
{
    o->read_only = true;
    return 0;
}

static int take_fdmon(struct options *o, char *value, struct aiox_error *err)
{
    o->fdmon = value;
    return 0;
}

static int take_max_clients(struct options *o, char *value, struct aiox_error *err)
{
    if (!text_to_number(value, 1, 1000000, &o->max_clients)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not a number from 1 to 1000000", value);
    }
    return 0;
}

static int take_memory(struct options *o, char *value, struct aiox_error *err)
{
    enum { LEAST = 64 << 20 };

    if (!text_to_size(value, &o->memory_bytes) || o->memory_bytes < LEAST) {
        return aiox_error_set(err, -EINVAL, "'%s' is not a size of at least 64M", value);
    }
    return 0;
}

static int take_seconds(char *value, int64_t *out_ns, struct aiox_error *err)
{
    if (!text_to_ns(value, out_ns)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not a number of seconds", value);
    }
    return 0;
}

static int take_handshake(struct options *o, char *value, struct aiox_error *err)
{
    return take_seconds(value, &o->handshake_ns, err);
}

static int take_stop(struct options *o, char *value, struct aiox_error *err)
{
    return take_seconds(value, &o->stop_ns, err);
}

static int take_verbose(struct options *o, char *value, struct aiox_error *err)
{
    o->log_level = AIOX_LOG_DEBUG;
    return 0;
}

static int take_quiet(struct options *o, char *value, struct aiox_error *err)
{
    o->log_level = AIOX_LOG_ERROR;
    return 0;
}

static int take_help(struct options *o, char *value, struct aiox_error *err)
{
    o->wish = OPTIONS_HELP;
    return 0;
}

static int take_version(struct options *o, char *value, struct aiox_error *err)
{
    o->wish = OPTIONS_VERSION;
    return 0;
}

static const struct option_row {
    const char *name;
    char letter; /* or 0 */
    bool has_value;
    int (*take)(struct options *o, char *value, struct aiox_error *err);
} rows[] = {
    {"unix", 'u', true, take_unix},        {"tcp", 't', true, take_tcp},
    {"export", 0, true, take_export},      {"read-only", 'r', false, take_read_only},
    {"fdmon", 0, true, take_fdmon},        {"max-clients", 0, true, take_max_clients},
    {"max-memory", 0, true, take_memory},  {"handshake-timeout", 0, true, take_handshake},
    {"stop-timeout", 0, true, take_stop},  {"verbose", 'v', false, take_verbose},
    {"quiet", 'q', false, take_quiet},     {"help", 'h', false, take_help},
    {"version", 'V', false, take_version},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), FIRST_ROW = 256 };

/* getopt_long() returns FIRST_ROW + row for the long form, a letter for the short one. */
static const struct option_row *row_of(int found)
{
    for (int i = 0; i < ROWS; i++) {
        if (found == FIRST_ROW + i || (rows[i].letter && found == rows[i].letter)) {
            return &rows[i];
        }
    }
    return NULL;
}

static int take_options(struct options *o, int argc, char **argv, struct aiox_error *err)
{
    struct option longs[ROWS + 1] = {{0}};
    int found, error = 0;

    for (int i = 0; i < ROWS; i++) {
        longs[i].name = rows[i].name;
        longs[i].has_arg = rows[i].has_value ? required_argument : no_argument;
        longs[i].val = FIRST_ROW + i;
    }
    optind = 0; /* from the beginning, also the second time (glibc) */
    opterr = 0;
    while (error == 0 && (found = getopt_long(argc, argv, ":u:t:rvqhV", longs, NULL)) != -1) {
        const struct option_row *row = row_of(found);

        if (found == ':') {
            return aiox_error_set(err, -EINVAL, "%s needs a value", argv[optind - 1]);
        }
        if (!row) {
            return aiox_error_set(err, -EINVAL, "%s is not an option", argv[optind - 1]);
        }
        error = row->take(o, optarg, err);
        if (error < 0) {
            aiox_error_prefix(err, "--%s: ", row->name);
        }
    }
    return error;
}

static int take_file(struct options *o, int argc, char **argv, struct aiox_error *err)
{
    if (optind + 1 < argc) {
        return aiox_error_set(err, -EINVAL, "one FILE only, not also '%s'; see --export",
                              argv[optind + 1]);
    }
    if (optind < argc) {
        o->exports[o->export_count++] = (struct export_spec){.name = "", .source = argv[optind]};
    }
    if (o->export_count == 0) {
        return aiox_error_set(err, -EINVAL, "there is nothing to serve");
    }
    return 0;
}

int options_parse(struct options *out, int argc, char **argv, struct aiox_error *err)
{
    int error;

    *out = (struct options){
        .max_clients = 1024,
        .memory_bytes = UINT64_C(1) << 30,
        .handshake_ns = 30 * AIOX_NS_PER_S,
        .stop_ns = 10 * AIOX_NS_PER_S,
        .log_level = AIOX_LOG_INFO,
        .exports = calloc(OPTIONS_EXPORT_MAX + 1, sizeof(*out->exports)),
    };
    if (!out->exports) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    error = take_options(out, argc, argv, err);
    if (error == 0 && out->wish == OPTIONS_SERVE) {
        error = take_file(out, argc, argv, err);
    }
    for (int i = 0; i < out->export_count; i++) {
        out->exports[i].read_only |= out->read_only;
    }
    if (out->listens == 0) {
        out->listen[out->listens++].where = "127.0.0.1";
    }
    return error;
}

void options_fini(struct options *o)
{
    free(o->exports);
    o->exports = NULL;
}
