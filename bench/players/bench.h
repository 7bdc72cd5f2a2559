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
    void (*timer_arm_from_afar)(void *loop, void *timer, int64_t timeout_ns);
    void (*timer_cancel)(void *loop, void *timer);
    void (*timer_free)(void *loop, void *timer);
    bool timers_have_no_order; /* those that are due run in another than that of their deadlines */

    /* Waits so long, in place of a timer where there are none; nothing else happens. */
    void (*sleep_once)(void *loop, int64_t timeout_ns);

    /* A function that the loop calls soon, once per ask. */
    void *(*task_new)(void *loop, bench_fn *fn, void *opaque);
    void (*task_ask)(void *loop, void *task); /* in the loop's thread */
    bool asks_at_home_only;                   /* task_ask is not thread-safe */
    bool runs_asks_at_once; /* what a task asks for, before it looks at descriptors */
    void (*task_ask_from_afar)(void *loop, void *task); /* in another */
    void (*task_free)(void *loop, void *task);

    /* The loop has a thread to itself: as the library's own threads would turn it. */
    void (*have_thread)(void *loop);

    /* From now on, looks for up to @most_ns before it sleeps, if that has paid lately. */
    void (*poll_busily)(void *loop, int64_t most_ns);

    /*
     * A coroutine of its own sends back what comes on @fd, a connected socket,
     * until that ends; then it counts *@serving down.
     */
    void (*serve)(void *loop, int fd, void *buffer, size_t bytes, long *serving);

    /* @count coroutines, each of which asks @loop to go on with it soon and yields, so often. */
    void (*pass)(void *loop, long count, long times);

    /* So many messages there and back over a pair of sockets, which are closed then. */
    void (*converse)(void *loop, const int fd[2], long messages, size_t bytes);
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

/* Locks of coroutines. So many times, while nobody else wants it: */
struct lock_ops {
    void (*mutex)(long times);
    void (*reader)(long times);
    void (*writer)(long times);
    /* One waits in a queue and is woken. */
    void (*queue)(long times);
};

/* Threads beside a loop, for work that blocks. */
struct pool_ops {
    void *(*open)(const struct contender *who, int threads, const char **why);
    void (*close)(void *pool);
    void (*turn)(void *pool); /* waits until something was done */
    /* @run in one of the threads, then @done in turn(). */
    void *(*job_new)(void *pool, bench_fn *run, bench_fn *done, void *opaque);
    void (*submit)(void *pool, void *job);
    void (*job_free)(void *pool, void *job);
};

/* Reads of one file, many at once. */
struct file_ops {
    /* @fd stays the caller's. */
    void *(*open)(const struct contender *who, int fd, const char **why);
    void (*close)(void *file);
    void (*turn)(void *file); /* waits until something was read */
    void *(*read_new)(void *file, void *buffer, size_t bytes, bench_fn *done, void *opaque);
    void (*read_at)(void *file, void *read, int64_t offset);
    void (*read_free)(void *file, void *read);
};

/* A server of the NBD protocol. */
struct nbd_ops {
    /* False and a sentence in @why if it is not here. */
    bool (*is_here)(const struct contender *who, const char **why);
    /*
     * In a process of its own: serves the file @path, read-only, to those who
     * come to the socket that descriptor 3 listens on; the environment says so
     * as systemd would. Returns only if it cannot.
     */
    void (*serve)(const struct contender *who, const char *path);
    /* The same past the page cache. Not both are NULL. */
    void (*serve_direct)(const struct contender *who, const char *path);
    const char *export_name;
};

struct contender {
    const char *name;
    enum kind kind;
    const char *variant; /* of several that share a table; a limit's: whose limit it is */
    const char *(*version)(void);
    const struct loop_ops *loop;
    const struct co_ops *co;
    const struct lock_ops *locks;
    const struct pool_ops *pool;
    const struct file_ops *file;
    const struct nbd_ops *nbd;
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
    const char *second; /* what is judged, too; NULL: nothing */
    const struct example *examples; /* ended by one without a name */
    bool (*can)(const struct contender *who);
    /* What ours promise there and it does not; NULL: nothing. */
    const char *(*caveat)(const struct contender *who);
    void (*play)(struct stage *stage);
};

extern const struct scene *const scenes[]; /* ended by NULL */
extern const struct contender *const *const contenders;

/* Who was left out when this was built, and the Debian package that was missing. */
struct absent {
    const char *name, *package;
};
extern const struct absent *const absentees; /* ended by one without a name */

/* Called once, first. */
void registry_fill(void);

/* ---- for scenes ---- */

/* What is played, and how often. */
const struct contender *stage_contender(const struct stage *stage);
const struct example *stage_example(const struct stage *stage);
long stage_operations(const struct stage *stage);

/* The loop of the contender; ends the program with a word if there is none. */
void *stage_open_loop(struct stage *stage);

/* Ends the program: the contender does not work here, and @why. */
void stage_unusable(const struct stage *stage, const char *why) __attribute__((noreturn));

/* What counts lies between these two. */
void stage_begin(struct stage *stage);
/* The same, but it is system calls of the main thread, or of other processes, that are counted. */
void stage_begin_alone(struct stage *stage);
void stage_begin_others(struct stage *stage);
void stage_end(struct stage *stage);

/* Where the scene decides itself. */
void stage_set_operations(struct stage *stage, long operations);

/* Where it works in batches: makes the operations whole batches, before they begin. */
void stage_set_batch(struct stage *stage, long batch);

/* One more figure of this run, such as "late_us". */
void stage_say(struct stage *stage, const char *what, double figure);

/* The least first. */
void sort_figures(double *figures, long count);

int64_t wall_ns(void);

/* ---- for contenders ---- */

/* The version of those that are nothing but the kernel. */
const char *kernel_version(void);

/* A function that a contender is to call: the first member of what it keeps of it. */
struct callee {
    bench_fn *fn;
    void *opaque;
};

/* The rest of the @bytes is zero. free() ends it. */
void *callee_new(size_t bytes, bench_fn *fn, void *opaque);
void callee_call(const struct callee *callee);

/* Most name their functions as the tables do; @away is the function by which something goes. */
#define LOOP_OPS .open = open_loop, .close = close_loop, .turn = turn
#define WATCH_OPS(away) .watch = watch, .unwatch = away
#define TIMER_OPS(away)                                                                            \
    .timer_new = timer_new, .timer_arm = timer_arm, .timer_cancel = timer_cancel, .timer_free = away
#define TASK_OPS(away) .task_new = task_new, .task_ask = task_ask, .task_free = away

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
