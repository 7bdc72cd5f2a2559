/* SPDX-License-Identifier: MIT */
/*
 * options_rows.c - one row per option, one function per kind of value.
 */
#include "options_rows.h"

#include <errno.h>
#include <string.h>

#include "aiox/clock.h"

#include "text.h"

/* ---- places ---- */

static int add_listen(struct options *o, enum options_place place, const char *where,
                      struct aiox_error *err)
{
    if (o->listens == OPTIONS_LISTEN_MAX) {
        return aiox_error_set(err, -EINVAL, "at most %d places to listen", OPTIONS_LISTEN_MAX);
    }
    o->listen[o->listens++] = (struct options_listen){.place = place, .where = where};
    return 0;
}

static int take_unix(struct options *o, char *value, struct aiox_error *err)
{
    return add_listen(o, OPTIONS_UNIX, value, err);
}

static int take_tcp(struct options *o, char *value, struct aiox_error *err)
{
    return add_listen(o, OPTIONS_TCP, value, err);
}

static int take_vsock(struct options *o, char *value, struct aiox_error *err)
{
    return add_listen(o, OPTIONS_VSOCK, value, err);
}

static int take_stdio(struct options *o, char *value, struct aiox_error *err)
{
    return add_listen(o, OPTIONS_STDIO, "standard input", err);
}

/* ---- exports ---- */

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

struct export_spec *options_add_export(struct options *o, const char *name, struct aiox_error *err)
{
    if (o->export_count == OPTIONS_EXPORT_MAX) {
        aiox_error_set(err, -EINVAL, "at most %d exports", OPTIONS_EXPORT_MAX);
        return NULL;
    }
    o->exports[o->export_count] = (struct export_spec){.name = name};
    return &o->exports[o->export_count++];
}

bool options_yes_or_no(const char *text, bool *out)
{
    *out = strcmp(text, "yes") == 0;
    return *out || strcmp(text, "no") == 0;
}

/* The word alone is yes. */
static int take_word_flag(const char *word, const char *value, bool *out, struct aiox_error *err)
{
    *out = true;
    if (value && !options_yes_or_no(value, out)) {
        return aiox_error_set(err, -EINVAL, "%s: '%s' is neither yes nor no", word, value);
    }
    return 0;
}

static int take_export_read_only(struct export_spec *spec, const char *value,
                                 struct aiox_error *err)
{
    return take_word_flag("read-only", value, &spec->read_only, err);
}

static int take_export_description(struct export_spec *spec, const char *value,
                                   struct aiox_error *err)
{
    if (!value) {
        return aiox_error_set(err, -EINVAL, "description: of what words?");
    }
    spec->description = value;
    return 0;
}

/* "cow", "cow=SIZE"; in the file "yes", "no" or the size. */
static int take_export_cow(struct export_spec *spec, const char *value, struct aiox_error *err)
{
    spec->cow = true;
    spec->cow_bytes = 0;
    if (value && !options_yes_or_no(value, &spec->cow)) {
        if (!text_to_size(value, &spec->cow_bytes)) {
            return aiox_error_set(err, -EINVAL, "cow: '%s' is neither yes, no nor a size", value);
        }
        spec->cow = true;
    }
    return 0;
}

static int take_export_direct(struct export_spec *spec, const char *value, struct aiox_error *err)
{
    return take_word_flag("direct", value, &spec->direct, err);
}

int options_export_word(struct export_spec *spec, const char *word, const char *value,
                        struct aiox_error *err)
{
    static const struct {
        const char *word;
        int (*take)(struct export_spec *spec, const char *value, struct aiox_error *err);
    } words[] = {
        {"read-only", take_export_read_only},
        {"description", take_export_description},
        {"cow", take_export_cow},
        {"direct", take_export_direct},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) == 0) {
            return words[i].take(spec, value, err);
        }
    }
    return aiox_error_set(err, -EINVAL, "'%s' is not an option of an export", word);
}

static int take_export(struct options *o, char *value, struct aiox_error *err)
{
    char *equals = strchr(value, '='), *word;
    struct export_spec *spec;
    int error = 0;

    if (!equals || equals[1] == '\0') {
        return aiox_error_set(err, -EINVAL, "'%s' is not NAME=FILE", value);
    }
    *equals = '\0';
    spec = options_add_export(o, value, err);
    if (!spec) {
        return -EINVAL;
    }
    spec->source = equals + 1;
    word = split_at_comma(equals + 1);
    while (word && error == 0) {
        char *next = split_at_comma(word), *its = strchr(word, '=');

        if (its) {
            *its++ = '\0';
        }
        error = options_export_word(spec, word, its, err);
        word = next;
    }
    return error;
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

/* ---- TLS ---- */

static int need_tls(struct aiox_error *err)
{
    return tls_is_built ? 0 : aiox_error_set(err, -EINVAL, "this aiox-nbd is built without TLS");
}

static int take_tls(struct options *o, char *value, struct aiox_error *err)
{
    static const char *const words[] = {
        [HANDSHAKE_TLS_OFF] = "off",
        [HANDSHAKE_TLS_ALLOW] = "allow",
        [HANDSHAKE_TLS_REQUIRE] = "require",
    };

    for (int i = 0; i < (int)(sizeof(words) / sizeof(words[0])); i++) {
        if (strcmp(value, words[i]) == 0) {
            o->tls = (enum handshake_tls)i;
            o->tls_is_said = true;
            return i == HANDSHAKE_TLS_OFF ? 0 : need_tls(err);
        }
    }
    return aiox_error_set(err, -EINVAL, "'%s' is not off, allow or require", value);
}

static int take_tls_certs(struct options *o, char *value, struct aiox_error *err)
{
    o->tls_certs = value;
    return need_tls(err);
}

static int take_tls_psk(struct options *o, char *value, struct aiox_error *err)
{
    o->tls_psk = value;
    return need_tls(err);
}

/* ---- numbers ---- */

static int take_number(const char *value, unsigned long most, unsigned long *out,
                       struct aiox_error *err)
{
    if (!text_to_number(value, 1, most, out)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not a number from 1 to %lu", value, most);
    }
    return 0;
}

static int take_threads(struct options *o, char *value, struct aiox_error *err)
{
    return take_number(value, OPTIONS_THREADS_MAX, &o->threads, err);
}

static int take_busy_poll(struct options *o, char *value, struct aiox_error *err)
{
    const unsigned long most = 1000000;
    unsigned long us;

    if (!text_to_number(value, 0, most, &us)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not a number from 0 to %lu", value, most);
    }
    o->busy_poll_ns = (int64_t)us * AIOX_NS_PER_US;
    return 0;
}

static int take_max_clients(struct options *o, char *value, struct aiox_error *err)
{
    return take_number(value, 1000000, &o->max_clients, err);
}

static int take_max_handshakes(struct options *o, char *value, struct aiox_error *err)
{
    return take_number(value, 1000000, &o->max_handshakes, err);
}

static int take_memory(struct options *o, char *value, struct aiox_error *err)
{
    if (!text_to_size(value, &o->memory_bytes) || o->memory_bytes < OPTIONS_THREAD_MEMORY) {
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

static int take_idle(struct options *o, char *value, struct aiox_error *err)
{
    return take_seconds(value, &o->idle_ns, err);
}

static int take_stop(struct options *o, char *value, struct aiox_error *err)
{
    return take_seconds(value, &o->stop_ns, err);
}

/* ---- the rest ---- */

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

static int take_config(struct options *o, char *value, struct aiox_error *err)
{
    o->config = value;
    return 0;
}

static int take_stats(struct options *o, char *value, struct aiox_error *err)
{
    o->stats = value;
    return 0;
}

static int take_run(struct options *o, char *value, struct aiox_error *err)
{
    o->run = value;
    return 0;
}

static int take_user(struct options *o, char *value, struct aiox_error *err)
{
    o->user = value;
    return 0;
}

static int take_pid_file(struct options *o, char *value, struct aiox_error *err)
{
    o->pid_file = value;
    return 0;
}

static int take_daemon(struct options *o, char *value, struct aiox_error *err)
{
    o->daemon = true;
    return 0;
}

static int take_foreground(struct options *o, char *value, struct aiox_error *err)
{
    o->daemon = false;
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

const struct option_row options_rows[] = {
    {"unix", 'u', OPTION_VALUE, take_unix},
    {"tcp", 't', OPTION_VALUE, take_tcp},
    {"vsock", 0, OPTION_VALUE, take_vsock},
    {"stdio", 's', OPTION_HERE, take_stdio},
    {"export", 0, OPTION_NAMES, take_export}, /* in the file a section */
    {"read-only", 'r', OPTION_FLAG, take_read_only},
    {"tls", 0, OPTION_VALUE, take_tls},
    {"tls-certs", 0, OPTION_VALUE, take_tls_certs},
    {"tls-psk", 0, OPTION_VALUE, take_tls_psk},
    {"fdmon", 0, OPTION_VALUE, take_fdmon},
    {"threads", 0, OPTION_VALUE, take_threads},
    {"max-clients", 0, OPTION_VALUE, take_max_clients},
    {"max-handshakes", 0, OPTION_VALUE, take_max_handshakes},
    {"busy-poll", 0, OPTION_VALUE, take_busy_poll},
    {"max-memory", 0, OPTION_VALUE, take_memory},
    {"handshake-timeout", 0, OPTION_VALUE, take_handshake},
    {"idle-timeout", 0, OPTION_VALUE, take_idle},
    {"stop-timeout", 0, OPTION_VALUE, take_stop},
    {"config", 'c', OPTION_NAMES, take_config},
    {"run", 0, OPTION_NAMES, take_run},
    {"stats", 0, OPTION_VALUE, take_stats},
    {"user", 0, OPTION_VALUE, take_user},
    {"pid-file", 0, OPTION_VALUE, take_pid_file},
    {"daemon", 'd', OPTION_FLAG, take_daemon},
    {"foreground", 'f', OPTION_HERE, take_foreground},
    {"verbose", 'v', OPTION_FLAG, take_verbose},
    {"quiet", 'q', OPTION_FLAG, take_quiet},
    {"help", 'h', OPTION_HERE, take_help},
    {"version", 'V', OPTION_HERE, take_version},
    {NULL, 0, OPTION_FLAG, NULL},
};
