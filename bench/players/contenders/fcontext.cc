/* SPDX-License-Identifier: MIT */
/* fcontext.cc - the switch of Boost.Context, with stacks that are kept. */
#include <cstdlib>
#include <vector>

#include <boost/context/detail/fcontext.hpp>
#include <boost/version.hpp>

#include "bench/players/bench.h"

namespace
{
namespace ctx = boost::context::detail;

enum { STACK_BYTES = 256 * 1024 };

struct Co {
    ctx::fcontext_t point;
    ctx::fcontext_t back;
    bench_fn *fn;
    void *opaque;
    char *stack;
    Co *outer;
    bool ended;
};

Co *current;
std::vector<char *> stacks;

const char *Version()
{
    return BOOST_LIB_VERSION;
}

char *TakeStack()
{
    if (stacks.empty()) {
        auto *stack = static_cast<char *>(aligned_alloc(4096, STACK_BYTES));
        must(stack);
        return stack;
    }
    char *stack = stacks.back();
    stacks.pop_back();
    return stack;
}

void Run(ctx::transfer_t from)
{
    auto *co = static_cast<Co *>(from.data);

    co->back = from.fctx;
    co->fn(co->opaque);
    co->ended = true;
    ctx::jump_fcontext(co->back, nullptr);
}

void *Create(bench_fn *fn, void *opaque)
{
    char *stack = TakeStack();
    auto *co = reinterpret_cast<Co *>(stack + STACK_BYTES) - 1;

    *co = Co{};
    co->fn = fn;
    co->opaque = opaque;
    co->stack = stack;
    co->point = ctx::make_fcontext(co, STACK_BYTES - 4096, Run);
    return co;
}

void Enter(void *opaque)
{
    auto *co = static_cast<Co *>(opaque);

    co->outer = current;
    current = co;
    co->point = ctx::jump_fcontext(co->point, co).fctx;
    current = co->outer;
    if (co->ended) {
        stacks.push_back(co->stack);
    }
}

void Yield()
{
    Co *co = current;

    co->back = ctx::jump_fcontext(co->back, nullptr).fctx;
}

const co_ops ops = {Create, Enter, Yield};

} // namespace

extern "C" {
extern const contender boost_context;
const contender boost_context = {"fcontext", PEER,    nullptr, Version, nullptr,
                                 &ops,       nullptr, nullptr, nullptr, nullptr};
}
