/* SPDX-License-Identifier: MIT */
/* place.c - where the code of this process lies in the file system. */
#define _GNU_SOURCE
#include "place.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

/* Resolves the file that holds @code into @out[PATH_MAX]. */
static bool file_of(const void *code, char *out)
{
    struct link_map *map = NULL;
    const char *name = "";
    Dl_info info;

    /* The program itself has no name there, and argv[0] may be anything. */
    if (dladdr1(code, &info, (void **)&map, RTLD_DL_LINKMAP) && map && map->l_name) {
        name = map->l_name;
    }
    return realpath(name[0] == '/' ? name : "/proc/self/exe", out) != NULL;
}

bool place_of_library_(char *out)
{
    char *slash;

    if (!file_of((const void *)&place_of_library_, out)) {
        return false;
    }
    slash = strrchr(out, '/');
    slash[slash == out] = '\0'; /* "/lib" lies in "/" */
    return true;
}

static bool is_above(const char *dir, const char *file)
{
    size_t length = strlen(dir);

    return strcmp(dir, "/") == 0 || (strncmp(dir, file, length) == 0 && file[length] == '/');
}

bool place_is_above_code_(const char *dir)
{
    char file[PATH_MAX];

    return (realpath("/proc/self/exe", file) && is_above(dir, file)) ||
           (file_of((const void *)&place_of_library_, file) && is_above(dir, file)) ||
           (file_of((const void *)&realpath, file) && is_above(dir, file));
}
