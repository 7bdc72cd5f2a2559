/* SPDX-License-Identifier: MIT */
/* names.c - which words are names, and which name somebody may have meant. */
#include "names.h"

#include <string.h>

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool name_is_good_(const char *text, size_t length)
{
    if (length == 0 || length >= NAME_BYTES || !is_lower(text[0])) {
        return false;
    }
    for (size_t i = 1; i < length; i++) {
        if (!is_lower(text[i]) && text[i] != '_' && !(text[i] >= '0' && text[i] <= '9')) {
            return false;
        }
    }
    return true;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/*
 * How many letters must be put in, left out, changed or swapped with their
 * neighbour to make @b of @a. Both are shorter than NAME_BYTES.
 */
static int distance(const char *a, const char *b)
{
    int d[NAME_BYTES][NAME_BYTES];
    int rows = (int)strlen(a);
    int columns = (int)strlen(b);

    for (int i = 0; i <= rows; i++) {
        for (int j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[rows][columns];
}

const char *name_near_(const char *word, const char *const *known, int count)
{
    const char *best = NULL;
    size_t length = strlen(word);
    int limit = length < 4 ? 1 : 2;

    if (length < 2 || length >= NAME_BYTES) {
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        int d;

        if (strlen(known[i]) >= NAME_BYTES) {
            continue;
        }
        d = distance(word, known[i]);
        if (length > 3 && (strstr(known[i], word) || strstr(word, known[i]))) {
            d = least(d, 2); /* "uring" */
        }
        if (d <= limit && (size_t)d < length) {
            best = known[i];
            limit = d - 1;
        }
    }
    return best;
}
