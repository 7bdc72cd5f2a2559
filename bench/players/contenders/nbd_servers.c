/* SPDX-License-Identifier: MIT */
/* nbd_servers.c - programs that serve NBD: ours on each backend, qemu-nbd, nbdkit. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/players/bench.h"

/* The second word of what a program says of its version; "" if it is not here. */
static const char *said_version(const char *program, char text[64])
{
    char command[512];
    FILE *f;

    text[0] = '\0';
    snprintf(command, sizeof(command), "'%s' --version 2>/dev/null", program);
    f = popen(command, "r");
    if (f && fscanf(f, "%*s %63[0-9.]", text) != 1) {
        text[0] = '\0';
    }
    if (f) {
        pclose(f);
    }
    return text;
}

/* As execvp(3) looks for it. */
static bool is_program(const char *name)
{
    const char *path = getenv("PATH");
    char full[512];

    if (strchr(name, '/')) {
        return access(name, X_OK) == 0;
    }
    while (path && *path) {
        int length = (int)strcspn(path, ":");

        snprintf(full, sizeof(full), "%.*s/%s", length, path, name);
        if (access(full, X_OK) == 0) {
            return true;
        }
        path += length + (path[length] == ':');
    }
    return false;
}

/* ---- ours; the environment says where it lies ---- */

static const char *our_program(void)
{
    const char *path = getenv("BENCH_NBD");

    return path ? path : "aiox-nbd";
}

static const char *our_version(void)
{
    static char text[64];

    return said_version(our_program(), text);
}

static bool is_ours_here(const struct contender *who, const char **why)
{
    (void)who;
    *why = "BENCH_NBD names no program that runs";
    return is_program(our_program());
}

/* The export's name is empty. */
static void serve_export(const struct contender *who, const char *path, const char *how)
{
    const char *plugins = getenv("BENCH_PLUGINS");
    char export[64];

    if (plugins) {
        setenv("AIOX_FDMON_PATH", plugins, 1);
    }
    snprintf(export, sizeof(export), "=%s%s", path, how);
    execlp(our_program(), "aiox-nbd", "--quiet", "--read-only", "--fdmon", who->variant,
           "--max-clients", "2000", "--export", export, (char *)NULL);
}

static void serve_ours(const struct contender *who, const char *path)
{
    serve_export(who, path, "");
}

static void serve_ours_direct(const struct contender *who, const char *path)
{
    serve_export(who, path, ",direct");
}

static const struct nbd_ops our_ops = {is_ours_here, serve_ours, serve_ours_direct, ""};

/* ---- qemu-nbd: threads, a ring, or past the page cache the kernel's AIO ---- */

static const char *qemu_version(void)
{
    static char text[64];

    return said_version("qemu-nbd", text);
}

static bool is_qemu_here(const struct contender *who, const char **why)
{
    (void)who;
    *why = "the Debian package qemu-utils is not installed";
    return is_program("qemu-nbd");
}

static void serve_image(const struct contender *who, const char *path, const char *cache)
{
    execlp("qemu-nbd", "qemu-nbd", "--persistent", "--shared=0", "--read-only", "--format=raw",
           cache, who->variant, path, (char *)NULL);
}

static void serve_qemu(const struct contender *who, const char *path)
{
    serve_image(who, path, "--cache=writeback"); /* what it does if nothing is said */
}

static void serve_qemu_direct(const struct contender *who, const char *path)
{
    serve_image(who, path, "--cache=none");
}

static const struct nbd_ops qemu_ops = {is_qemu_here, serve_qemu, serve_qemu_direct, ""};
static const struct nbd_ops qemu_direct_ops = {is_qemu_here, NULL, serve_qemu_direct, ""};

/* ---- nbdkit ---- */

static const char *nbdkit_version(void)
{
    static char text[64];

    return said_version("nbdkit", text);
}

static bool is_nbdkit_here(const struct contender *who, const char **why)
{
    (void)who;
    *why = "the Debian package nbdkit is not installed";
    return is_program("nbdkit");
}

/* It wants a name in a folder, which the file does not have: so it serves the folder. */
static void serve_nbdkit(const struct contender *who, const char *path)
{
    (void)who;
    must(strcmp(path, "/proc/self/fd/4") == 0);
    execlp("nbdkit", "nbdkit", "--foreground", "--readonly", "file", "dir=/proc/self/fd",
           (char *)NULL);
}

/* cache=none of its file plugin throws pages away after it has used them: no O_DIRECT. */
static const struct nbd_ops nbdkit_ops = {is_nbdkit_here, serve_nbdkit, NULL, "4"};

#define SERVER(id, title, of, mode, says, ops)                                                     \
    const struct contender id = {                                                                  \
        .name = title, .kind = of, .variant = mode, .version = says, .nbd = &(ops)}

SERVER(nbd_epoll, "aiox-nbd epoll", OURS, "epoll", our_version, our_ops);
SERVER(nbd_io_uring, "aiox-nbd io_uring", OURS, "io_uring", our_version, our_ops);
SERVER(nbd_poll, "aiox-nbd poll", OURS, "poll", our_version, our_ops);
SERVER(qemu_threads, "qemu-nbd", PEER, "--aio=threads", qemu_version, qemu_ops);
SERVER(qemu_io_uring, "qemu-nbd io_uring", PEER, "--aio=io_uring", qemu_version, qemu_ops);
SERVER(qemu_native, "qemu-nbd native", PEER, "--aio=native", qemu_version, qemu_direct_ops);
SERVER(nbdkit, "nbdkit", PEER, NULL, nbdkit_version, nbdkit_ops);
