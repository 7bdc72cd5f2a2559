/* SPDX-License-Identifier: MIT */
/*
 * main.c - does one thing so many times.
 *
 *   counts SCENE TIMES     then says how often it allocated and how many atomic
 *                          read-modify-writes there were
 *   counts SCENE TIMES MORE  the same, and about MORE instructions each time
 *   counts --list          the scenes
 *   counts --compiler      what compiled it
 *
 * What one operation costs is the difference of two runs: check.py takes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/counts/counts.h"

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static unsigned long allocations;

/* The linker sends every call of ours here (--wrap). */
void *__wrap_malloc(size_t bytes)
{
    allocations++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    allocations++;
    return __real_realloc(old, bytes);
}

static const struct scene *find(const char *name)
{
    for (const struct scene *s = scenes; s->name; s++) {
        if (strcmp(s->name, name) == 0) {
            return s;
        }
    }
    return NULL;
}

static int list(void)
{
    for (const struct scene *s = scenes; s->name; s++) {
        puts(s->name);
    }
    return 0;
}

struct run {
    const struct scene *scene;
    long times, more;
};

static void repeat(void *opaque)
{
    const struct run *run = opaque;
    void (*operation)(void) = run->scene->operation;

    for (long left = run->times; left > 0; left--) {
        operation();
    }
}

/* What a change that makes it slower looks like. */
static void repeat_with_more(void *opaque)
{
    const struct run *run = opaque;

    for (long left = run->times; left > 0; left--) {
        run->scene->operation();
        for (long pairs = run->more / 2; pairs > 0; pairs--) {
            __asm__ volatile(""); /* to count down and to jump */
        }
    }
}

static void play(const struct scene *scene, long times, long more)
{
    struct run run = {scene, times, more};
    void (*body)(void *) = more > 0 ? repeat_with_more : repeat;

    scene->begin();
    if (scene->around) {
        scene->around(body, &run);
    } else {
        body(&run);
    }
    scene->end();
}

int main(int argc, char **argv)
{
    const struct scene *scene = argc == 3 || argc == 4 ? find(argv[1]) : NULL;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        return list();
    }
    if (argc == 2 && strcmp(argv[1], "--compiler") == 0) {
        return puts(COMPILER) < 0;
    }
    if (!scene) {
        fputs("usage: counts SCENE TIMES [MORE] | --list | --compiler\n", stderr);
        return 2;
    }
    play(scene, strtol(argv[2], NULL, 10), argc == 4 ? strtol(argv[3], NULL, 10) : 0);
    printf("allocations %lu\nread_modify_writes %lu\n", allocations, seam_read_modify_writes());
    return 0;
}
