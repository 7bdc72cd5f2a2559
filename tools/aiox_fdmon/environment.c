/* SPDX-License-Identifier: MIT */
/* environment.c - what of this machine and process decides which backend works. */
#define _GNU_SOURCE
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/utsname.h>

/* The first line of a file without its end; empty if there is none. */
static void first_line(const char *path, char *out, int bytes)
{
    FILE *file = fopen(path, "re");

    if (!file || !fgets(out, bytes, file)) {
        out[0] = '\0';
    }
    out[strcspn(out, "\n")] = '\0';
    if (file) {
        fclose(file);
    }
}

/* The number behind "@key:" in /proc/self/status; -1: unknown. */
static int status_number(const char *key)
{
    FILE *file = fopen("/proc/self/status", "re");
    size_t length = strlen(key);
    int number = -1;
    char line[256];

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            number = atoi(line + length + 1);
        }
    }
    if (file) {
        fclose(file);
    }
    return number;
}

static void get_kernel(char *out, size_t bytes)
{
    struct utsname name;

    if (uname(&name) == 0) {
        snprintf(out, bytes, "%.40s %.60s %.40s", name.sysname, name.release, name.machine);
    }
}

static void get_privilege(char *out, size_t bytes)
{
    snprintf(out, bytes, "%s",
             getauxval(AT_SECURE) ? "more rights than the caller: environment ignored" : "none");
}

static void get_seccomp(char *out, size_t bytes)
{
    static const char *const modes[] = {"off", "strict", "filter: may deny system calls"};
    int mode = status_number("Seccomp");

    snprintf(out, bytes, "%s", mode >= 0 && mode <= 2 ? modes[mode] : "unknown");
}

static void get_no_new_privs(char *out, size_t bytes)
{
    snprintf(out, bytes, "%d", status_number("NoNewPrivs"));
}

static void get_io_uring_disabled(char *out, size_t bytes)
{
    char line[32];

    first_line("/proc/sys/kernel/io_uring_disabled", line, sizeof(line));
    snprintf(out, bytes, "%s%s", line[0] ? line : "no such switch (before 6.6)",
             strcmp(line, "0") == 0   ? " (allowed for all)"
             : strcmp(line, "1") == 0 ? " (for kernel.io_uring_group and CAP_SYS_ADMIN only)"
             : strcmp(line, "2") == 0 ? " (forbidden)"
                                      : "");
}

static void get_limit(int which, const char *unit, char *out, size_t bytes)
{
    struct rlimit limit;
    char soft[32] = "unlimited";
    char hard[32] = "unlimited";

    if (getrlimit((__rlimit_resource_t)which, &limit) != 0) {
        return;
    }
    if (limit.rlim_cur != RLIM_INFINITY) {
        snprintf(soft, sizeof(soft), "%llu", (unsigned long long)limit.rlim_cur);
    }
    if (limit.rlim_max != RLIM_INFINITY) {
        snprintf(hard, sizeof(hard), "%llu", (unsigned long long)limit.rlim_max);
    }
    snprintf(out, bytes, "%s of at most %s %s", soft, hard, unit);
}

static void get_open_files(char *out, size_t bytes)
{
    get_limit(RLIMIT_NOFILE, "descriptors", out, bytes);
}

static void get_locked_memory(char *out, size_t bytes)
{
    get_limit(RLIMIT_MEMLOCK, "bytes", out, bytes);
}

static void get_uid_map(char *out, size_t bytes)
{
    unsigned long first, outside, count;
    char line[80];

    first_line("/proc/self/uid_map", line, sizeof(line));
    if (sscanf(line, "%lu %lu %lu", &first, &outside, &count) != 3) {
        snprintf(out, bytes, "nobody is mapped");
    } else if (first == 0 && count == 4294967295UL) {
        snprintf(out, bytes, "all users are known");
    } else {
        snprintf(out, bytes, "a user namespace: %lu from %lu, seen as %lu", count, outside, first);
    }
}

static const struct {
    const char *key;
    void (*get)(char *out, size_t bytes);
} sources[] = {
    {"kernel", get_kernel},
    {"privileges", get_privilege},
    {"users", get_uid_map},
    {"seccomp", get_seccomp},
    {"no_new_privs", get_no_new_privs},
    {"kernel.io_uring_disabled", get_io_uring_disabled},
    {"open_files", get_open_files},
    {"locked_memory", get_locked_memory},
};

_Static_assert(sizeof(sources) / sizeof(*sources) <= FACTS_MAX, "all facts fit");

int environment_get(struct fact facts[FACTS_MAX])
{
    int count = (int)(sizeof(sources) / sizeof(*sources));

    for (int i = 0; i < count; i++) {
        memset(&facts[i], 0, sizeof(facts[i]));
        facts[i].key = sources[i].key;
        sources[i].get(facts[i].value, sizeof(facts[i].value));
    }
    return count;
}
