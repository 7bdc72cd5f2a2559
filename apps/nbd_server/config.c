/* SPDX-License-Identifier: MIT */
/*
 * config.c - line by line: a comment, a section, or a key and its value.
 *
 * The text is read as a whole and taken apart in place; the options point into
 * it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options_rows.h"

struct reader {
    struct options *options;
    struct export_spec *section; /* NULL: the server's own */
};

static const char blanks[] = " \t\r";

/* @text without blanks at both ends, cut in place. */
static char *trim(char *text)
{
    size_t n;

    text += strspn(text, blanks);
    n = strlen(text);
    while (n > 0 && strchr(blanks, text[n - 1])) {
        n--;
    }
    text[n] = '\0';
    return text;
}

/* "[export NAME]"; the name may be empty. */
static int take_section(struct reader *r, char *line, struct aiox_error *err)
{
    static const char word[] = "[export";
    char *end = line + strlen(line) - 1, *name = line + sizeof(word) - 1;

    if (*end != ']' || strncmp(line, word, sizeof(word) - 1) != 0 ||
        (name != end && !strchr(blanks, *name))) {
        return aiox_error_set(err, -EINVAL, "'%s' is not [export NAME]", line);
    }
    *end = '\0';
    r->section = options_add_export(r->options, trim(name), err);
    return r->section ? 0 : -EINVAL;
}

static const struct option_row *row_named(const char *key)
{
    for (const struct option_row *row = options_rows; row->name; row++) {
        if (strcmp(row->name, key) == 0 &&
            (row->kind == OPTION_FLAG || row->kind == OPTION_VALUE)) {
            return row;
        }
    }
    return NULL;
}

static int take_key(struct reader *r, const char *key, char *value, struct aiox_error *err)
{
    const struct option_row *row = row_named(key);
    bool yes = true;
    int error;

    if (!row) {
        return aiox_error_set(err, -EINVAL, "'%s' is not a key here", key);
    }
    if (row->kind == OPTION_FLAG && !options_yes_or_no(value, &yes)) {
        return aiox_error_set(err, -EINVAL, "%s: '%s' is neither yes nor no", key, value);
    }
    if (!yes) {
        return 0;
    }
    error = row->take(r->options, row->kind == OPTION_FLAG ? NULL : value, err);
    if (error < 0) {
        aiox_error_prefix(err, "%s: ", key);
    }
    return error;
}

static int take_line(struct reader *r, char *line, struct aiox_error *err)
{
    char *equals, *key, *value;

    line = trim(line);
    if (*line == '\0' || *line == '#') {
        return 0;
    }
    if (*line == '[') {
        return take_section(r, line, err);
    }
    equals = strchr(line, '=');
    if (!equals) {
        return aiox_error_set(err, -EINVAL, "'%s' is not KEY = VALUE", line);
    }
    *equals = '\0';
    key = trim(line);
    value = trim(equals + 1);
    if (!r->section) {
        return take_key(r, key, value, err);
    }
    if (strcmp(key, "file") == 0) {
        r->section->source = value;
        return *value ? 0 : aiox_error_set(err, -EINVAL, "file: of what name?");
    }
    return options_export_word(r->section, key, value, err);
}

static int take_text(struct reader *r, const char *path, char *text, struct aiox_error *err)
{
    int number = 1, error = 0;

    while (text && error == 0) {
        char *next = strchr(text, '\n');

        if (next) {
            *next++ = '\0';
        }
        error = take_line(r, text, err);
        if (error < 0) {
            aiox_error_prefix(err, "%s:%d: ", path, number);
        }
        text = next;
        number++;
    }
    return error;
}

/* All of @fd as a string, or NULL and *@error. */
static char *read_all(int fd, int *error)
{
    char *text = malloc(CONFIG_BYTES_MAX + 1);
    size_t held = 0;
    ssize_t n = 1;

    while (text && held < CONFIG_BYTES_MAX && n > 0) {
        n = read(fd, text + held, CONFIG_BYTES_MAX - held);
        held += n > 0 ? (size_t)n : 0;
    }
    *error = !text ? -ENOMEM : n < 0 ? -errno : held == CONFIG_BYTES_MAX ? -EFBIG : 0;
    if (*error == 0 && memchr(text, '\0', held)) {
        *error = -EINVAL;
    }
    if (*error < 0) {
        free(text);
        return NULL;
    }
    text[held] = '\0';
    return text;
}

static int check_sections(const struct options *o, const char *path, struct aiox_error *err)
{
    for (int i = 0; i < o->export_count; i++) {
        if (!o->exports[i].source) {
            return aiox_error_set(err, -EINVAL, "%s: [export %s] has no 'file ='", path,
                                  o->exports[i].name);
        }
    }
    return 0;
}

int config_read(struct options *o, const char *path, struct aiox_error *err)
{
    struct reader r = {.options = o};
    int fd = open(path, O_RDONLY | O_CLOEXEC), error;

    if (fd < 0) {
        error = -errno;
    } else {
        o->text = read_all(fd, &error);
        close(fd);
    }
    if (error < 0) {
        return aiox_error_set(err, error, "cannot read '%s': %s", path, aiox_error_text(error));
    }
    error = take_text(&r, path, o->text, err);
    return error < 0 ? error : check_sections(o, path, err);
}
