/* SPDX-License-Identifier: MIT */
/*
 * bare_switch.c - seven words saved, the stack pointer changed, seven loaded:
 * what a switch that is called cannot be faster than.
 *
 * Nothing is checked and nothing nests. Both functions leave by a jump of their
 * own: a processor would mispredict each ret, since it pairs it with the call
 * that was made last.
 */
#include <stdlib.h>

#include "bench/players/bench.h"

enum { STACK_BYTES = 256 * 1024, WORDS = 7 };

struct co {
    void **here, **back;
    bench_fn *fn;
    void *opaque;
    struct co *next_free;
    char *stack;
};

struct co *bench_current;
static struct co *unused;

void bench_enter(void *co);
void bench_yield(void);

#define SAVE                                                                                       \
    "    popq %rcx\n"                                                                              \
    "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n"             \
    "    pushq %r15\n    pushq %rcx\n"
#define LOAD_AND_GO                                                                                \
    "    popq %rcx\n    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n"                  \
    "    popq %rbx\n    popq %rbp\n"                                                               \
    "    jmp *%rcx\n"

__asm__(".text\n"
        ".p2align 4\n"
        ".globl bench_enter\n"
        "bench_enter:\n" SAVE "    movq %rdi, bench_current(%rip)\n"
        "    movq %rsp, 8(%rdi)\n"
        "    movq (%rdi), %rsp\n" LOAD_AND_GO ".p2align 4\n"
        ".globl bench_yield\n"
        "bench_yield:\n" SAVE "    movq bench_current(%rip), %rdi\n"
        "    movq %rsp, (%rdi)\n"
        "    movq 8(%rdi), %rsp\n" LOAD_AND_GO);

static const char *version(void)
{
    return "x86-64";
}

/* Its stack is free for the next one from here on, who comes when this one has gone. */
static void run(void)
{
    struct co *co = bench_current;

    co->fn(co->opaque);
    co->next_free = unused;
    unused = co;
    bench_yield();
    abort();
}

static struct co *take(void)
{
    struct co *co = unused;

    if (co) {
        unused = co->next_free;
        return co;
    }
    co = calloc(1, sizeof(*co));
    must(co);
    co->stack = aligned_alloc(4096, STACK_BYTES);
    must(co->stack);
    return co;
}

static void *create(bench_fn *fn, void *opaque)
{
    struct co *co = take();

    /* As if run() had been called: the stack is aligned before its return address. */
    co->here = (void **)(co->stack + STACK_BYTES) - WORDS - 3;
    co->here[0] = (void *)(uintptr_t)run;
    co->fn = fn;
    co->opaque = opaque;
    return co;
}

static const struct co_ops ops = {create, bench_enter, bench_yield};

/* A wait and its wake are an enter and a yield, and some list. */
static void yield_until_over(void *is_over)
{
    while (!*(bool *)is_over) {
        bench_yield();
    }
}

static void wait_and_wake(long times)
{
    bool is_over = false;
    void *co = create(yield_until_over, &is_over);

    for (long i = 0; i < times; i++) {
        bench_enter(co);
    }
    is_over = true;
    bench_enter(co);
}

static const struct lock_ops lock_ops = {.queue = wait_and_wake};

/* ---- a loop that is nothing but a list of those who go on ---- */

struct passer {
    struct ready *ready;
    struct passer *next;
    void *co;
    long left;
};

struct ready {
    struct passer *first, *last;
};

static void push(struct ready *r, struct passer *p)
{
    p->next = NULL;
    if (r->first) {
        r->last->next = p;
    } else {
        r->first = p;
    }
    r->last = p;
}

static void pass_often(void *opaque)
{
    struct passer *p = opaque;

    for (; p->left > 0; p->left--) {
        push(p->ready, p);
        bench_yield();
    }
}

static void pass(void *loop, long count, long times)
{
    struct ready *r = loop;
    struct passer *all = calloc((size_t)count, sizeof(*all));

    must(all);
    for (long i = 0; i < count; i++) {
        all[i] = (struct passer){.ready = r, .left = times};
        all[i].co = create(pass_often, &all[i]);
        push(r, &all[i]);
    }
    while (r->first) {
        struct passer *p = r->first;

        r->first = p->next;
        bench_enter(p->co);
    }
    free(all);
}

static void *open_loop(const struct contender *who, const char **why)
{
    static struct ready ready;

    (void)who;
    (void)why;
    return &ready;
}

static void close_loop(void *loop)
{
    (void)loop;
}

static const struct loop_ops loop_ops = {.open = open_loop, .close = close_loop, .pass = pass};

const struct contender bare_switch = {.name = "bare switch",
                                      .kind = LIMIT,
                                      .version = version,
                                      .loop = &loop_ops,
                                      .co = &ops,
                                      .locks = &lock_ops};
