/* SPDX-License-Identifier: MIT */
/*
 * text.c - what a stranger wrote never reaches a terminal or a log as it is.
 */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/clock.h"

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

const char *text_quote(char *out, const void *bytes, size_t n)
{
    enum { LONGEST = 4, TAIL = sizeof("...\"") };
    const uint8_t *from = bytes;
    size_t at = 0, i = 0;

    out[at++] = '"';
    for (; i < n && at + LONGEST + TAIL <= TEXT_QUOTED; i++) {
        if (is_plain(from[i])) {
            out[at++] = (char)from[i];
        } else {
            at += (size_t)snprintf(out + at, LONGEST + 1, "\\x%02x", from[i]);
        }
    }
    snprintf(out + at, TEXT_QUOTED - at, "%s\"", i < n ? "..." : "");
    return out;
}

void text_copy(char *out, size_t room, const char *text)
{
    size_t n = strnlen(text, room - 1);

    memcpy(out, text, n);
    out[n] = '\0';
}

void text_append_uri(char *out, size_t room, const char *text)
{
    size_t at = strlen(out);

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c < 0x80 && (isalnum(c) || strchr("-._~/", c));

        if (at + (plain ? 1 : 3) >= room) {
            return;
        }
        at += (size_t)snprintf(out + at, room - at, plain ? "%c" : "%%%02X", c);
    }
}

/* The power of 1,024 that @suffix stands for, or -1. */
static int power_of(const char *suffix)
{
    static const char letters[] = "kMGT";
    const char *found;

    if (*suffix == '\0') {
        return 0;
    }
    found = suffix[1] == '\0' ? strchr(letters, *suffix == 'K' ? 'k' : *suffix) : NULL;
    return found ? (int)(found - letters) + 1 : -1;
}

bool text_to_size(const char *text, uint64_t *out)
{
    char *suffix;
    unsigned long long number;
    int power;

    if (!isdigit((unsigned char)*text)) { /* strtoull takes signs and blanks */
        return false;
    }
    errno = 0;
    number = strtoull(text, &suffix, 10);
    power = power_of(suffix);
    if (errno || power < 0 || number > (UINT64_MAX >> (10 * power))) {
        return false;
    }
    *out = (uint64_t)number << (10 * power);
    return true;
}

bool text_to_ns(const char *text, int64_t *out)
{
    enum { MOST_SECONDS = 1000000 };
    char *end;
    double seconds;

    if (!isdigit((unsigned char)*text) || text[strspn(text, "0123456789.")] != '\0') {
        return false;
    }
    seconds = strtod(text, &end);
    if (*end != '\0' || seconds > MOST_SECONDS) {
        return false;
    }
    *out = (int64_t)(seconds * (double)AIOX_NS_PER_S);
    return true;
}

bool text_to_number(const char *text, unsigned long least, unsigned long most, unsigned long *out)
{
    char *end;
    unsigned long number;

    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    errno = 0;
    number = strtoul(text, &end, 10);
    if (errno || *end != '\0' || number < least || number > most) {
        return false;
    }
    *out = number;
    return true;
}
