/* SPDX-License-Identifier: MIT */
/* ucontext.c - swapcontext(3), which asks the kernel for the signal mask each time. */
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <ucontext.h>

#include "bench/players/bench.h"

enum { STACK_BYTES = 256 * 1024 };

struct co {
    ucontext_t here, back;
    bench_fn *fn;
    void *opaque;
    struct co *outer;
    struct co *next_free;
    bool has_ended;
    char *stack;
};

static struct co *current;
static struct co *unused;

static void run(void)
{
    struct co *co = current;

    co->fn(co->opaque);
    co->has_ended = true;
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

/* Not inlined: getcontext() may return twice, as far as the compiler knows. */
static __attribute__((noinline)) void take_context(struct co *co)
{
    must(getcontext(&co->here) == 0);
}

static void *create(bench_fn *fn, void *opaque)
{
    struct co *co = take();

    take_context(co);
    co->here.uc_stack.ss_sp = co->stack;
    co->here.uc_stack.ss_size = STACK_BYTES;
    co->here.uc_link = &co->back;
    co->fn = fn;
    co->opaque = opaque;
    co->has_ended = false;
    makecontext(&co->here, run, 0);
    return co;
}

static void enter(void *opaque)
{
    struct co *co = opaque;

    co->outer = current;
    current = co;
    must(swapcontext(&co->back, &co->here) == 0);
    current = co->outer;
    if (co->has_ended) {
        co->next_free = unused;
        unused = co;
    }
}

static void yield(void)
{
    struct co *co = current;

    must(swapcontext(&co->here, &co->back) == 0);
}

static const struct co_ops ops = {create, enter, yield};

const struct contender ucontext = {
    .name = "ucontext", .kind = PEER, .version = gnu_get_libc_version, .co = &ops};
