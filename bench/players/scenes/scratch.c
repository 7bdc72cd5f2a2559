/* SPDX-License-Identifier: MIT */
/* scratch.c - see scratch.h. */
#define _GNU_SOURCE
#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/players/bench.h"

enum { CHUNK = 1 << 20 };

int scratch_file(size_t bytes, bool is_direct)
{
    const char *folder = getenv("TMPDIR");
    char *chunk = malloc(CHUNK);
    char name[64];
    int fd = open(folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), direct;

    must(fd >= 0 && chunk);
    memset(chunk, 'x', CHUNK);
    for (size_t done = 0; done < bytes; done += CHUNK) {
        must(write(fd, chunk, CHUNK) == CHUNK);
    }
    free(chunk);
    if (!is_direct) {
        return fd;
    }
    must(fdatasync(fd) == 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    direct = open(name, O_RDONLY | O_DIRECT | O_CLOEXEC);
    close(fd);
    return direct;
}

uint64_t scratch_number(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}
