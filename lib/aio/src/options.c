/* SPDX-License-Identifier: MIT */
/*
 * options.c - what the user set for one backend.
 *
 * One block of memory: the struct, one pointer per option of the descriptor,
 * and the words they point to.
 */
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

/* More options than this are not looked at for what was meant. */
#define NAMED_MAX 64

struct backend_options {
    const struct aiox_fdmon_option *known; /* NULL: none */
    size_t count;
    size_t text_bytes;
    size_t *value_at; /* [count] offsets into text; 0: not set */
    char *text;       /* as the user wrote it, cut into words */
};

/* name.key=value, and where the next one begins (NULL: the end). */
struct setting {
    const char *name, *key, *value, *end, *next;
};

/* False: it has not this form. */
static bool split(struct setting *out, const char *at)
{
    const char *end = strchrnul(at, ',');
    const char *equals = memchr(at, '=', (size_t)(end - at));
    const char *dot = equals ? memchr(at, '.', (size_t)(equals - at)) : NULL;

    out->name = at;
    out->end = end;
    out->next = *end ? end + 1 : NULL;
    if (!dot || !name_is_good_(at, (size_t)(dot - at))) {
        return false;
    }
    out->key = dot + 1;
    out->value = equals + 1;
    return equals > dot + 1;
}

int options_check_(const char *text, struct aiox_error *err)
{
    struct setting s;

    for (const char *at = text; at; at = s.next) {
        if (!split(&s, at)) {
            return aiox_error_set(
                err, -EINVAL, "bad backend options '%.80s': '%.*s' at %d is not name.key=value",
                text, (int)(s.end - at < 60 ? s.end - at : 60), at, (int)(at - text) + 1);
        }
    }
    return 0;
}

static size_t count_of(const struct aiox_fdmon_option *known)
{
    size_t count = 0;

    while (known && known[count].name) {
        count++;
    }
    return count;
}

static bool is_word(const char *begin, const char *end, const char *word)
{
    return strlen(word) == (size_t)(end - begin) && memcmp(begin, word, strlen(word)) == 0;
}

static int refuse(const struct backend_options *o, const char *name, const struct setting *s,
                  struct aiox_error *err)
{
    const char *names[NAMED_MAX];
    size_t count = o->count < NAMED_MAX ? o->count : NAMED_MAX;
    char word[NAME_BYTES * 2];
    const char *meant;

    for (size_t i = 0; i < count; i++) {
        names[i] = o->known[i].name;
    }
    snprintf(word, sizeof(word), "%.*s", (int)(s->value - 1 - s->key), s->key);
    meant = name_near_(word, names, (int)count);
    return aiox_error_set(err, -EINVAL, "backend '%s' has no option '%s'%s%s%s", name, word,
                          meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

/* Notes one setting of the backend @name. */
static int set(struct backend_options *o, const char *name, const char *text,
               const struct setting *s, struct aiox_error *err)
{
    for (size_t i = 0; i < o->count; i++) {
        if (is_word(s->key, s->value - 1, o->known[i].name)) {
            o->value_at[i] = (size_t)(s->value - text);
            o->text[s->end - text] = '\0';
            return 0;
        }
    }
    return refuse(o, name, s, err);
}

static struct backend_options *allocate(const struct aiox_fdmon_option *known, size_t text_bytes)
{
    size_t count = count_of(known);
    struct backend_options *o = calloc(1, sizeof(*o) + count * sizeof(*o->value_at) + text_bytes);

    if (o) {
        o->known = known;
        o->count = count;
        o->text_bytes = text_bytes;
        o->value_at = (size_t *)(o + 1);
        o->text = (char *)(o->value_at + count);
    }
    return o;
}

int options_new_(struct backend_options **out, const char *text,
                 const struct aiox_fdmon_plugin *plugin, struct aiox_error *err)
{
    size_t text_bytes = text ? strlen(text) + 1 : 0;
    struct backend_options *o = allocate(plugin->options, text_bytes);
    struct setting s;

    if (!o) {
        return aiox_error_set(err, -ENOMEM, "no memory for the options of '%s'", plugin->name);
    }
    if (text) {
        memcpy(o->text, text, text_bytes);
    }
    for (const char *at = text; at; at = s.next) {
        int error;

        if (!split(&s, at) || !is_word(s.name, s.key - 1, plugin->name)) {
            continue;
        }
        error = set(o, plugin->name, text, &s, err);
        if (error) {
            free(o);
            return error;
        }
    }
    *out = o;
    return 0;
}

const char *options_get_(const struct backend_options *o, const char *key)
{
    for (size_t i = 0; i < o->count; i++) {
        if (strcmp(o->known[i].name, key) == 0) {
            return o->value_at[i] ? o->text + o->value_at[i] : o->known[i].default_value;
        }
    }
    return NULL;
}

struct backend_options *options_copy_(const struct backend_options *o)
{
    struct backend_options *copy = allocate(o->known, o->text_bytes);

    if (copy) {
        memcpy(copy->value_at, o->value_at, o->count * sizeof(*o->value_at));
        memcpy(copy->text, o->text, o->text_bytes);
    }
    return copy;
}
