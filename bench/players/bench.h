/* SPDX-License-Identifier: MIT */
/*
 * bench.h - scenes, who plays in them, and the clock between the two.
 *
 * A scene is written once, against the tables below; a contender fills those it
 * can. One process plays one scene with one contender once, so that nobody
 * meets what another has left behind; bench.py calls them in turns.
 */
#ifndef AIOX_BENCH_PLAYERS_BENCH_H_
#define AIOX_BENCH_PLAYERS_BENCH_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void bench_fn(void *opaque);

struct contender;

/* An event loop. What it does not offer is NULL. */
struct loop_ops {
    /* NULL and a sentence in @why if it does not work here. */
    void *(*open)(const struct contender *who, const char **why);
    void (*close)(void *loop);
    /* One turn: waits, if it may, until something was called. */
    void (*turn)(void *loop, bool may_block);

    /* Calls @fn whenever @fd is readable. */
    void *(*watch)(void *loop, int fd, bench_fn *fn, void *opaque);
    void (*unwatch)(void *loop, void *watch);

    /* One-shot timers. */
    void *(*timer_new)(void *loop, bench_fn *fn, void *opaque);
    void (*timer_arm)(void *loop, void *timer, int64_t timeout_ns);
    void (*timer_cancel)(void *loop, void *timer);
    void (*timer_free)(void *loop, void *timer);

    /* A function that the loop calls soon, once per ask. */
    void *(*task_new)(void *loop, bench_fn *fn, void *opaque);
    void (*task_ask)(void *loop, void *task);           /* in the loop's thread */
    void (*task_ask_from_afar)(void *loop, void *task); /* in another */
    void (*task_free)(void *loop, void *task);
};

/* Functions that can wait. */
struct co_ops {
    /* Makes one that runs @fn(@opaque). Nothing runs yet. */
    void *(*create)(bench_fn *fn, void *opaque);
    /* Goes on in it until it yields or ends. One that has ended is gone. */
    void (*enter)(void *co);
    void (*yield)(void);
};

enum kind {
    LIMIT, /* bare system calls, or a bare switch */
    PEER,
    OURS,
};

struct contender {
    const char *name;
    enum kind kind;
    const char *variant; /* of several that share a table */
    const char *(*version)(void);
    const struct loop_ops *loop;
    const struct co_ops *co;
};

/* One case of a scene, as "1000/1". */
struct example {
    const char *name;
    long first, second;
};

struct stage;

struct scene {
    const char *name;
    const char *title;
    const char *unit;   /* what one operation is */
    const char *metric; /* what is compared; NULL: cpu_ns; "wall_ns", or a figure it says */
    const struct example *examples; /* ended by one without a name */
    bool (*can)(const struct contender *who);
    void (*play)(struct stage *stage);
};

extern const struct scene *const scenes[]; /* ended by NULL */
extern const struct contender *const *const contenders;

/* Called once, first. */
void registry_fill(void);

/* ---- for scenes ---- */

/* What is played, and how often. */
const struct contender *stage_contender(const struct stage *stage);
const struct example *stage_example(const struct stage *stage);
long stage_operations(const struct stage *stage);

/* The loop of the contender; ends the program with a word if there is none. */
void *stage_open_loop(struct stage *stage);

/* What counts lies between these two. */
void stage_begin(struct stage *stage);
void stage_end(struct stage *stage);

/* Where the scene decides itself. */
void stage_set_operations(struct stage *stage, long operations);

/* One more figure of this run, such as "late_us". */
void stage_say(struct stage *stage, const char *what, double figure);

int64_t wall_ns(void);

/* Ends the program unless @cond holds. */
#define must(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            must_at(__FILE__, __LINE__, #cond);                                                    \
        }                                                                                          \
    } while (0)
void must_at(const char *file, int line, const char *text) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif /* AIOX_BENCH_PLAYERS_BENCH_H_ */
