/* SPDX-License-Identifier: MIT */
/*
 * asio_await.cc - Boost.Asio with coroutines of C++20, which have no stack.
 * Where the compiler has none of which Asio knows (clang 14), nothing is here.
 */
#include <unistd.h>

#include <utility> /* boost/asio/awaitable.hpp needs it and does not say so */

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "asio.h"

#ifdef BOOST_ASIO_HAS_CO_AWAIT
namespace
{
using namespace asio_loop;
using asio::use_awaitable;

/* The socket is a duplicate: it is closed with the object, and @fd is the caller's. */
asio::awaitable<void> Echo(Loop *loop, int fd, asio::mutable_buffer buffer, long *serving)
{
    asio::ip::tcp::socket socket(loop->context, asio::ip::tcp::v4(), dup(fd));
    boost::system::error_code error;

    for (;;) {
        std::size_t n =
            co_await socket.async_read_some(buffer, asio::redirect_error(use_awaitable, error));
        if (error) {
            break;
        }
        co_await asio::async_write(socket, asio::buffer(buffer, n), use_awaitable);
    }
    --*serving;
}

void Serve(void *loop, int fd, void *buffer, std::size_t bytes, long *serving)
{
    asio::co_spawn(Of(loop)->context, Echo(Of(loop), fd, asio::buffer(buffer, bytes), serving),
                   asio::detached);
}

asio::awaitable<void> PassOften(Loop *loop, long times, long *passing)
{
    for (; times > 0; times--) {
        co_await asio::post(loop->context, use_awaitable);
    }
    EndRun(loop, passing);
}

void Pass(void *loop, long count, long times)
{
    long passing = count;

    for (long i = 0; i < count; i++) {
        asio::co_spawn(Of(loop)->context, PassOften(Of(loop), times, &passing), asio::detached);
    }
    RunUntilEnd(loop);
}

const loop_ops ops = OnlyCoroutines(Serve, Pass);

} // namespace

extern "C" {
extern const contender boost_await;
const contender boost_await = {"asio awaitable", PEER,    nullptr, Version, &ops,
                               nullptr,          nullptr, nullptr, nullptr, nullptr};
}
#endif
