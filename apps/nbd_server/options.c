/* SPDX-License-Identifier: MIT */
/*
 * options.c - the command line is read twice: for the name of the file, and,
 * when the file has been read, for everything.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/aiox.h"
#include "aiox/clock.h"

#include "config.h"
#include "options_rows.h"

enum { ROWS_MAX = 48, FIRST_ROW = 256 };

static const char letters[] = ":u:t:src:dfvqhV";

/* getopt_long() returns FIRST_ROW + row for the long form, a letter for the short one. */
static const struct option_row *row_of(int found)
{
    for (int i = 0; options_rows[i].name; i++) {
        const struct option_row *row = &options_rows[i];

        if (found == FIRST_ROW + i || (row->letter && found == row->letter)) {
            return row;
        }
    }
    return NULL;
}

static void fill_longs(struct option longs[ROWS_MAX])
{
    memset(longs, 0, ROWS_MAX * sizeof(longs[0]));
    for (int i = 0; options_rows[i].name && i < ROWS_MAX - 1; i++) {
        longs[i].name = options_rows[i].name;
        longs[i].has_arg = option_has_value(&options_rows[i]) ? required_argument : no_argument;
        longs[i].val = FIRST_ROW + i;
    }
}

/* Takes all options, or with @only that one. */
static int take_options(struct options *o, int argc, char **argv, const char *only,
                        struct aiox_error *err)
{
    struct option longs[ROWS_MAX];
    int found, error = 0;

    fill_longs(longs);
    optind = 0; /* from the beginning, also the second time (glibc) */
    opterr = 0;
    while (error == 0 && (found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const struct option_row *row = row_of(found);

        if (found == ':') {
            return aiox_error_set(err, -EINVAL, "%s needs a value", argv[optind - 1]);
        }
        if (!row) {
            return aiox_error_set(err, -EINVAL, "%s is not an option", argv[optind - 1]);
        }
        if (only && strcmp(row->name, only) != 0) {
            continue;
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

/* Who has keys wants them used. */
static int conclude_tls(struct options *o, struct aiox_error *err)
{
    bool has_keys = o->tls_certs || o->tls_psk;

    if (!o->tls_is_said && has_keys) {
        o->tls = HANDSHAKE_TLS_REQUIRE;
    }
    if (o->tls != HANDSHAKE_TLS_OFF && !has_keys) {
        return aiox_error_set(err, -EINVAL, "--tls: needs --tls-certs or --tls-psk");
    }
    return 0;
}

/* What only makes sense together. */
static int conclude(struct options *o, struct aiox_error *err)
{
    bool stdio = false;

    for (int i = 0; i < o->export_count; i++) {
        o->exports[i].read_only |= o->read_only;
    }
    for (int i = 0; i < o->listens; i++) {
        stdio |= o->listen[i].place == OPTIONS_STDIO;
    }
    if (stdio && (o->listens > 1 || o->run || o->daemon)) {
        return aiox_error_set(err, -EINVAL,
                              "--stdio stands alone: no other place, --run, --daemon");
    }
    if (o->run && o->daemon) {
        return aiox_error_set(err, -EINVAL, "--run and --daemon: one of them");
    }
    if (o->listens == 0) {
        o->listens_by_default = true;
        o->listen[o->listens++].where = "127.0.0.1";
    }
    if (o->memory_bytes == 0) {
        o->memory_bytes = UINT64_C(1) << 30;
        if (o->memory_bytes < o->threads * OPTIONS_THREAD_MEMORY) {
            o->memory_bytes = o->threads * OPTIONS_THREAD_MEMORY;
        }
    }
    if (o->memory_bytes < o->threads * OPTIONS_THREAD_MEMORY) {
        return aiox_error_set(err, -EINVAL, "--max-memory: %lu threads need at least %luM",
                              o->threads,
                              (unsigned long)(o->threads * (OPTIONS_THREAD_MEMORY >> 20)));
    }
    return conclude_tls(o, err);
}

/* The words of @argv, ours to take apart; one block, the pointers first. NULL: no memory. */
static char **copy_words(int argc, char *const *argv)
{
    size_t bytes = ((size_t)argc + 1) * sizeof(char *);
    char **copy, *to;

    for (int i = 0; i < argc; i++) {
        bytes += strlen(argv[i]) + 1;
    }
    copy = malloc(bytes);
    if (!copy) {
        return NULL;
    }
    to = (char *)(copy + argc + 1);
    for (int i = 0; i < argc; i++) {
        copy[i] = to;
        to = stpcpy(to, argv[i]) + 1;
    }
    copy[argc] = NULL;
    return copy;
}

static int parse(struct options *o, int argc, char **argv, struct aiox_error *err)
{
    int error = take_options(o, argc, argv, "config", err);

    if (error == 0 && o->config) {
        error = config_read(o, o->config, err);
    }
    if (error == 0) {
        error = take_options(o, argc, argv, NULL, err);
    }
    if (error == 0 && o->wish == OPTIONS_SERVE) {
        error = take_file(o, argc, argv, err);
    }
    return error < 0 ? error : conclude(o, err);
}

int options_parse(struct options *out, int argc, char *const *argv, struct aiox_error *err)
{
    char **words = copy_words(argc, argv);

    *out = (struct options){
        .threads = 1,
        .busy_poll_ns = AIOX_BUSY_POLL_NS,
        .max_clients = 1024,
        .max_handshakes = 256,
        .handshake_ns = 30 * AIOX_NS_PER_S,
        .stop_ns = 10 * AIOX_NS_PER_S,
        .log_level = AIOX_LOG_INFO,
        .exports = calloc(OPTIONS_EXPORT_MAX + 1, sizeof(*out->exports)),
        .words = (char *)words,
    };
    if (!out->exports || !words) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    return parse(out, argc, words, err);
}

int options_open_keys(struct options *o, struct aiox_error *err)
{
    if (o->tls == HANDSHAKE_TLS_OFF) {
        return 0;
    }
    return tls_keys_open(&o->tls_keys, o->tls_certs, o->tls_psk, err);
}

void options_fini(struct options *o)
{
    tls_keys_unref(o->tls_keys);
    free(o->exports);
    free(o->words);
    free(o->text);
    o->tls_keys = NULL;
    o->exports = NULL;
    o->words = NULL;
    o->text = NULL;
}

void options_free(struct options *o)
{
    if (o) {
        options_fini(o);
        free(o);
    }
}
