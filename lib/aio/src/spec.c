/* SPDX-License-Identifier: MIT */
/*
 * spec.c - takes a specification apart.
 *
 *   spec   := item { "," item }
 *   item   := "auto" | "static" | "caps:" cap { "+" cap } | "-" name | name [ "!" ]
 *
 * "static", "caps:" and "-name" narrow the whole specification wherever they
 * stand. A specification without any name means auto; with one name and no
 * auto, it means that one.
 */
#define _GNU_SOURCE
#include "spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aiox/backend.h"

static const char *const cap_names[] = {
    "level",      "ns_timeout", "pri",          "regular", "many_fds", "pending",
    "completion", "fork",       "locks_memory", "pollfd",  "roams",    "may_roam",
};

static const uint64_t cap_bits[] = {
    AIOX_FDMON_CAP_LEVEL,      AIOX_FDMON_CAP_NS_TIMEOUT, AIOX_FDMON_CAP_PRI,
    AIOX_FDMON_CAP_REGULAR,    AIOX_FDMON_CAP_MANY_FDS,   AIOX_FDMON_CAP_PENDING,
    AIOX_FDMON_CAP_COMPLETION, AIOX_FDMON_CAP_FORK,       AIOX_FDMON_CAP_LOCKS_MEMORY,
    AIOX_FDMON_CAP_POLLFD,     AIOX_FDMON_CAP_ROAMS,      AIOX_FDMON_CAP_MAY_ROAM,
};

#define CAP_COUNT ((int)(sizeof(cap_bits) / sizeof(*cap_bits)))

_Static_assert(sizeof(cap_names) / sizeof(*cap_names) == sizeof(cap_bits) / sizeof(*cap_bits),
               "each capability has a name");

const char *aiox_backend_caps_text(uint64_t caps, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (int i = 0; i < CAP_COUNT && used < bytes; i++) {
        if (caps & cap_bits[i]) {
            used +=
                (size_t)snprintf(text + used, bytes - used, "%s%s", used ? "+" : "", cap_names[i]);
        }
    }
    return text;
}

/* One item of a specification, and the whole for the words of an error. */
struct item {
    const char *text;
    size_t length;
    const char *whole;
};

static int refuse(const struct item *item, struct aiox_error *err, const char *why)
{
    return aiox_error_set(err, -EINVAL, "bad backend specification '%.60s': '%.*s' at %d: %s",
                          item->whole, (int)(item->length < 60 ? item->length : 60), item->text,
                          (int)(item->text - item->whole) + 1, why);
}

static bool item_is(const struct item *item, const char *word)
{
    return item->length == strlen(word) && memcmp(item->text, word, item->length) == 0;
}

/* Copies the name in @item without its first @before and last @behind characters. */
static int take_name(char *out, const struct item *item, size_t before, size_t behind,
                     struct aiox_error *err)
{
    size_t length = item->length - before - behind;

    if (!name_is_good_(item->text + before, length)) {
        return refuse(item, err, "a name is a letter and up to 30 of a-z, 0-9, _");
    }
    memcpy(out, item->text + before, length);
    out[length] = '\0';
    return 0;
}

static int take_cap(struct spec *s, const struct item *item, struct aiox_error *err)
{
    char word[NAME_BYTES];
    char why[160];
    const char *meant;

    if (item->length >= sizeof(word)) {
        return refuse(item, err, "not a capability");
    }
    memcpy(word, item->text, item->length);
    word[item->length] = '\0';
    for (int i = 0; i < CAP_COUNT; i++) {
        if (strcmp(word, cap_names[i]) == 0) {
            s->caps |= cap_bits[i];
            return 0;
        }
    }
    meant = name_near_(word, cap_names, CAP_COUNT);
    if (meant) {
        snprintf(why, sizeof(why), "not a capability; did you mean '%s'?", meant);
    } else {
        char all[120];

        snprintf(why, sizeof(why), "not a capability of %s",
                 aiox_backend_caps_text(UINT64_MAX, all, sizeof(all)));
    }
    return refuse(item, err, why);
}

static int take_caps(struct spec *s, const struct item *item, struct aiox_error *err)
{
    const char *at = item->text + strlen("caps:");
    const char *end = item->text + item->length;

    for (;;) {
        const char *plus = memchr(at, '+', (size_t)(end - at));
        struct item cap = {at, (size_t)((plus ? plus : end) - at), item->whole};
        int error = take_cap(s, &cap, err);

        if (error || !plus) {
            return error;
        }
        at = plus + 1;
    }
}

static int take_exclusion(struct spec *s, const struct item *item, struct aiox_error *err)
{
    if (s->excluded_count == SPEC_MAX) {
        return refuse(item, err, "too many names");
    }
    return take_name(s->excluded[s->excluded_count++], item, 1, 0, err);
}

static int take_choice(struct spec *s, const struct item *item, struct aiox_error *err)
{
    struct spec_choice *choice = &s->choices[s->choice_count];

    if (s->choice_count == SPEC_MAX) {
        return refuse(item, err, "too many names");
    }
    s->choice_count++;
    if (item_is(item, "auto")) {
        return 0;
    }
    choice->must = item->length > 0 && item->text[item->length - 1] == '!';
    return take_name(choice->name, item, 0, choice->must ? 1 : 0, err);
}

static int take_item(struct spec *s, const struct item *item, struct aiox_error *err)
{
    if (item->length == 0) {
        return refuse(item, err, "a name is missing");
    }
    if (item_is(item, "static")) {
        s->linked_in_only = true;
        return 0;
    }
    if (strncmp(item->text, "caps:", strlen("caps:")) == 0) {
        return take_caps(s, item, err);
    }
    if (item->text[0] == '-') {
        return take_exclusion(s, item, err);
    }
    return take_choice(s, item, err);
}

bool spec_excludes_(const struct spec *s, const char *name)
{
    for (int i = 0; i < s->excluded_count; i++) {
        if (strcmp(s->excluded[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Gives an order to a specification that has none, and finds what contradicts itself. */
static int finish(struct spec *s, const char *text, struct aiox_error *err)
{
    for (int i = 0; i < s->choice_count; i++) {
        if (spec_excludes_(s, s->choices[i].name)) {
            return aiox_error_set(err, -EINVAL,
                                  "bad backend specification '%.100s': '%s' is asked for and "
                                  "excluded",
                                  text, s->choices[i].name);
        }
    }
    if (s->choice_count == 0) {
        s->choice_count = 1; /* auto */
    } else if (s->choice_count == 1 && s->choices[0].name[0]) {
        s->choices[0].must = true;
    }
    return 0;
}

int spec_parse_(struct spec *out, const char *text, struct aiox_error *err)
{
    const char *at = text;

    memset(out, 0, sizeof(*out));
    for (;;) {
        const char *comma = strchrnul(at, ',');
        struct item item = {at, (size_t)(comma - at), text};
        int error = take_item(out, &item, err);

        if (error) {
            return error;
        }
        if (*comma == '\0') {
            return finish(out, text, err);
        }
        at = comma + 1;
    }
}
