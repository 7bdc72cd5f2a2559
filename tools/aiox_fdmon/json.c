/* SPDX-License-Identifier: MIT */
/*
 * json.c - writes JSON, one value after the other.
 *
 * Text comes from files that nobody has to trust: what is not ASCII is written
 * as if each byte were a character, so the result is valid whatever it is.
 */
#include "json.h"

static void write_text(struct json *j, const char *text)
{
    fputc('"', j->out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            fprintf(j->out, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            fprintf(j->out, "\\u%04x", c);
        } else {
            fputc(c, j->out);
        }
    }
    fputc('"', j->out);
}

/* What stands in front of a value. */
static void lead_in(struct json *j, const char *key)
{
    if (j->has_one) {
        fputc(',', j->out);
    }
    if (j->depth > 0) {
        fprintf(j->out, "\n%*s", 2 * j->depth, "");
    }
    if (key) {
        write_text(j, key);
        fputs(": ", j->out);
    }
    j->has_one = true;
}

void json_begin(struct json *j, const char *key, char bracket)
{
    lead_in(j, key);
    fputc(bracket, j->out);
    j->depth++;
    j->has_one = false;
}

void json_end(struct json *j, char bracket)
{
    j->depth--;
    if (j->has_one) {
        fprintf(j->out, "\n%*s", 2 * j->depth, "");
    }
    fputc(bracket, j->out);
    if (j->depth == 0) {
        fputc('\n', j->out);
    }
    j->has_one = true;
}

void json_text(struct json *j, const char *key, const char *text)
{
    lead_in(j, key);
    if (text) {
        write_text(j, text);
    } else {
        fputs("null", j->out);
    }
}

void json_number(struct json *j, const char *key, int64_t number)
{
    lead_in(j, key);
    fprintf(j->out, "%lld", (long long)number);
}

void json_bool(struct json *j, const char *key, bool value)
{
    lead_in(j, key);
    fputs(value ? "true" : "false", j->out);
}
