/* SPDX-License-Identifier: MIT */
/*
 * text_out.c - memory doubles when it is short.
 */
#include "text_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_out_fini(struct text_out *o)
{
    free(o->text);
    *o = (struct text_out){0};
}

/* Makes room for @more bytes and the 0 behind them. */
static bool make_room(struct text_out *o, size_t more)
{
    size_t room = o->room ? o->room : 4096;
    char *text;

    while (room <= o->bytes + more) {
        room *= 2;
    }
    if (room == o->room) {
        return true;
    }
    text = realloc(o->text, room);
    if (!text) {
        o->failed = true;
        return false;
    }
    o->text = text;
    o->room = room;
    return true;
}

void text_out_add(struct text_out *o, const char *format, ...)
{
    va_list values;
    int n;

    va_start(values, format);
    n = vsnprintf(NULL, 0, format, values);
    va_end(values);
    if (n < 0 || !make_room(o, (size_t)n)) {
        return;
    }
    va_start(values, format);
    vsnprintf(o->text + o->bytes, (size_t)n + 1, format, values);
    va_end(values);
    o->bytes += (size_t)n;
}

/* @string between quotes; @escape for each byte that is not printable ASCII. */
static void add_quoted(struct text_out *o, const char *string,
                       void (*escape)(struct text_out *o, unsigned char c))
{
    text_out_add(o, "\"");
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '"' || c == '\\') {
            text_out_add(o, "\\%c", c);
        } else if (c >= 0x20 && c < 0x7f) {
            text_out_add(o, "%c", c);
        } else {
            escape(o, c);
        }
    }
    text_out_add(o, "\"");
}

static void escape_json(struct text_out *o, unsigned char c)
{
    text_out_add(o, "\\u00%02x", c);
}

static void escape_label(struct text_out *o, unsigned char c)
{
    text_out_add(o, "\\\\x%02x", c);
}

void text_out_json(struct text_out *o, const char *string)
{
    add_quoted(o, string, escape_json);
}

void text_out_label(struct text_out *o, const char *string)
{
    add_quoted(o, string, escape_label);
}
