/* SPDX-License-Identifier: MIT */
/*
 * stage.c - one run: clocks around it, and what came out.
 *
 * The marks are system calls that do nothing and that a tracer recognises; it
 * counts what lies between them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "stage.h"

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void sort_figures(double *figures, long count)
{
    qsort(figures, (size_t)count, sizeof(*figures), compare);
}

int64_t wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* How long this thread has stood in line for a processor; 0 where the kernel does not say. */
static int64_t waited_ns(void)
{
    long long ran = 0, waited = 0;
    FILE *f = fopen("/proc/thread-self/schedstat", "r");

    if (f) {
        must(fscanf(f, "%lld %lld", &ran, &waited) == 2);
        fclose(f);
    }
    return waited;
}

const struct contender *stage_contender(const struct stage *stage)
{
    return stage->who;
}

const struct example *stage_example(const struct stage *stage)
{
    return stage->example;
}

long stage_operations(const struct stage *stage)
{
    return stage->operations;
}

void stage_set_operations(struct stage *stage, long operations)
{
    stage->operations = operations;
}

void stage_set_batch(struct stage *stage, long batch)
{
    stage->operations = (stage->operations + batch - 1) / batch * batch;
}

void *stage_open_loop(struct stage *stage)
{
    const char *why = "it did not say why";
    void *loop = stage->who->loop->open(stage->who, &why);

    if (!loop) {
        stage_unusable(stage, why);
    }
    return loop;
}

void stage_unusable(const struct stage *stage, const char *why)
{
    fprintf(stderr, "%s does not work here: %s\n", stage->who->name, why);
    exit(EXIT_UNUSABLE);
}

void tell_tracer(enum mark what, long value)
{
    syscall(SYS_prctl, MARK, what, value);
}

static void begin(struct stage *stage, enum mark mark)
{
    stage->waited_ns = -waited_ns();
    tell_tracer(mark, 0);
    stage->wall_ns = -wall_ns();
    stage->cpu_ns = -clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void stage_begin(struct stage *stage)
{
    begin(stage, MARK_BEGIN);
}

void stage_begin_alone(struct stage *stage)
{
    begin(stage, MARK_BEGIN_ALONE);
}

void stage_begin_others(struct stage *stage)
{
    begin(stage, MARK_BEGIN_OTHERS);
}

void stage_end(struct stage *stage)
{
    stage->cpu_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    stage->wall_ns += wall_ns();
    tell_tracer(MARK_END, 0);
    stage->waited_ns += waited_ns();
}

void stage_say(struct stage *stage, const char *what, double figure)
{
    must(stage->figures < MOST_FIGURES);
    stage->figure[stage->figures].what = what;
    stage->figure[stage->figures].value = figure;
    stage->figures++;
}

const char *kernel_version(void)
{
    static struct utsname name;

    must(uname(&name) == 0);
    return name.release;
}

void *callee_new(size_t bytes, bench_fn *fn, void *opaque)
{
    struct callee *callee = calloc(1, bytes);

    must(callee);
    *callee = (struct callee){fn, opaque};
    return callee;
}

void callee_call(const struct callee *callee)
{
    callee->fn(callee->opaque);
}

void must_at(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: %s does not hold (errno %d)\n", file, line, text, errno);
    abort();
}
