/* SPDX-License-Identifier: MIT */
/* stage.h - what main.c and stage.c know of a run. */
#ifndef AIOX_BENCH_PLAYERS_STAGE_H_
#define AIOX_BENCH_PLAYERS_STAGE_H_

#include "bench.h"

enum {
    MARK = 0x61696f78, /* no prctl(2) of that number */
    EXIT_UNUSABLE = 3,
    MOST_FIGURES = 4,
};

struct stage {
    const struct contender *who;
    const struct example *example;
    long operations;
    int64_t wall_ns, cpu_ns;
    int64_t waited_ns; /* for a processor that others had */
    int figures;
    struct {
        const char *what;
        double value;
    } figure[MOST_FIGURES];
};

/* What a tracer is told by a prctl(MARK, ...) that does nothing. */
enum mark {
    MARK_END,
    MARK_BEGIN,
    MARK_BEGIN_ALONE,  /* of the main thread of the one that says so */
    MARK_BEGIN_OTHERS, /* of other processes */
    MARK_OPERATIONS,   /* and how many there were */
};

void tell_tracer(enum mark what, long value);

struct count {
    long calls; /* between the marks; -1: it failed */
    long operations;
};

/* This program, called again with @argv. */
struct count count_system_calls(char **argv);

#endif /* AIOX_BENCH_PLAYERS_STAGE_H_ */
