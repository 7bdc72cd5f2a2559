/* SPDX-License-Identifier: MIT */
/* asio.h - a loop of Boost.Asio, for the contenders that have one. */
#ifndef AIOX_BENCH_PLAYERS_CONTENDERS_ASIO_H_
#define AIOX_BENCH_PLAYERS_CONTENDERS_ASIO_H_

#include <optional>

#include <boost/asio.hpp>
#include <boost/version.hpp>

#include "bench/players/bench.h"

namespace asio_loop
{
namespace asio = boost::asio;

struct Loop {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    std::optional<asio::steady_timer> looks;
};

inline Loop *Of(void *loop)
{
    return static_cast<Loop *>(loop);
}

inline const char *Version()
{
    return BOOST_LIB_VERSION;
}

inline void *Open(const contender *, const char **)
{
    return new Loop;
}

inline void Close(void *loop)
{
    delete Of(loop);
}

inline void Turn(void *loop, bool may_block)
{
    if (may_block) {
        Of(loop)->context.run_one();
    }
    Of(loop)->context.poll();
}

/* A program that has neither timer nor descriptor would never ask the kernel; few are like that. */
inline void LookAtKernel(void *loop)
{
    if (!Of(loop)->looks) {
        Of(loop)->looks.emplace(Of(loop)->context);
    }
}

/* As programs do it, where it does not matter how many turns that is. */
inline void RunUntilEnd(void *loop)
{
    LookAtKernel(loop);
    Of(loop)->context.run();
    Of(loop)->context.restart();
}

/* The last of so many ends it. */
inline void EndRun(void *loop, long *left)
{
    if (--*left == 0) {
        Of(loop)->context.stop();
    }
}

/* Of a contender that has coroutines and leaves the rest to callbacks. */
inline loop_ops OnlyCoroutines(decltype(loop_ops::serve) serve, decltype(loop_ops::pass) pass)
{
    loop_ops ops = {};

    ops.open = Open;
    ops.close = Close;
    ops.turn = Turn;
    ops.serve = serve;
    ops.pass = pass;
    return ops;
}
} // namespace asio_loop

#endif /* AIOX_BENCH_PLAYERS_CONTENDERS_ASIO_H_ */
