/* SPDX-License-Identifier: MIT */
/*
 * trace.c - prints trace points to stderr, where the environment asks for it.
 *
 * A line is one write(2), so lines of several threads do not mix. A point may
 * be passed between a system call and a look at its errno: that stays.
 */
#define _GNU_SOURCE
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "aiox/atomic.h"
#include "aiox/trace.h"

/* Changed before the hook is set, then never. */
static char wanted[200];
static bool is_all;
static aiox_atomic_u32 is_begun;

/* Points whose b is the address of a name; event NULL: all of the room. */
static const struct {
    const char *room, *event;
} named[] = {{"bh", NULL}, {"coroutine", "create"}, {"aio", "backend"}, {"channel", "adopt"}};

/* Those that have points. */
static const char rooms[] =
    "aio,aio_co,aio_file,aio_pool,base,bh,channel,channel_tls,coroutine,lockcnt,timer";

/* Whether the first @bytes of @name stand in @list, which has commas between names. */
static bool is_listed(const char *list, const char *name, size_t bytes)
{
    const char *end;

    for (const char *at = list; *at; at = *end ? end + 1 : end) {
        end = strchrnul(at, ',');
        if ((size_t)(end - at) == bytes && memcmp(at, name, bytes) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_name(const char *room, const char *event)
{
    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
        if (strcmp(room, named[i].room) == 0 &&
            (!named[i].event || strcmp(event, named[i].event) == 0)) {
            return true;
        }
    }
    return false;
}

static void print(void *opaque, const char *room, const char *event, uint64_t a, uint64_t b)
{
    int error = errno;
    struct timespec now;
    char line[300];
    int bytes;

    if (!is_all && !is_listed(wanted, room, strlen(room))) {
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    bytes = snprintf(line, 200, "aiox %lld.%09ld [%ld] %s %s %#" PRIx64 " ", (long long)now.tv_sec,
                     now.tv_nsec, (long)gettid(), room, event, a);
    if (b && has_name(room, event)) {
        bytes += snprintf(line + bytes, 90, "\"%.80s\"\n", (const char *)(uintptr_t)b);
    } else {
        bytes += snprintf(line + bytes, 90, "%#" PRIx64 "\n", b);
    }
    if (write(STDERR_FILENO, line, (size_t)bytes) < 0) {
        /* nobody to tell */
    }
    errno = error;
}

/* A name that is none would be waited for in vain. */
static void warn_of_names(void)
{
    const char *end;

    for (const char *at = wanted; *at; at = *end ? end + 1 : end) {
        end = strchrnul(at, ',');
        if (!is_listed(rooms, at, (size_t)(end - at))) {
            dprintf(STDERR_FILENO,
                    "aiox: AIOX_TRACE: there is no room '%.*s'; all, or some of %s\n",
                    (int)(end - at), at, rooms);
        }
    }
}

void trace_print_(const char *wish)
{
    if (aiox_u32_or_relaxed(&is_begun, 1) != 0 || aiox_ptr_load_relaxed(&aiox_trace_hook_)) {
        return;
    }
    snprintf(wanted, sizeof(wanted), "%s", wish);
    is_all = strcmp(wanted, "all") == 0;
    if (!is_all) {
        warn_of_names();
    }
    aiox_trace_set_hook(print, NULL);
}
