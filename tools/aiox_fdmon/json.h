/* SPDX-License-Identifier: MIT */
/*
 * json.h - writes JSON, one value after the other.
 */
#ifndef TOOLS_AIOX_FDMON_JSON_H_
#define TOOLS_AIOX_FDMON_JSON_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* All zero but @out: at the beginning. */
struct json {
    FILE *out;
    int depth;
    bool has_one; /* the innermost object or array is not empty */
};

/* @key is NULL inside an array and at the top. @text may be NULL: null. */
void json_begin(struct json *j, const char *key, char bracket);
void json_end(struct json *j, char bracket);
void json_text(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, int64_t number);
void json_bool(struct json *j, const char *key, bool value);

#endif /* TOOLS_AIOX_FDMON_JSON_H_ */
