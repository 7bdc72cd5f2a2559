/* SPDX-License-Identifier: MIT */
/* asio_spawn.cc - Boost.Asio with a stackful coroutine for each connection. */
#define BOOST_COROUTINES_NO_DEPRECATION_WARNING
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/version.hpp>

#include "bench/players/bench.h"

namespace
{
namespace asio = boost::asio;

struct Loop {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

Loop *Of(void *loop)
{
    return static_cast<Loop *>(loop);
}

const char *Version()
{
    return BOOST_LIB_VERSION;
}

void *Open(const contender *, const char **)
{
    return new Loop;
}

void Close(void *loop)
{
    delete Of(loop);
}

void Turn(void *loop, bool may_block)
{
    if (may_block) {
        Of(loop)->context.run_one();
    }
    Of(loop)->context.poll();
}

/* The socket is a duplicate: it is closed with the object, and @fd is the caller's. */
void Serve(void *loop, int fd, void *buffer, std::size_t bytes, long *serving)
{
    asio::spawn(Of(loop)->context, [=](asio::yield_context yield) {
        asio::ip::tcp::socket socket(Of(loop)->context, asio::ip::tcp::v4(), dup(fd));
        boost::system::error_code error;

        for (;;) {
            std::size_t n = socket.async_read_some(asio::buffer(buffer, bytes), yield[error]);
            if (error) {
                break;
            }
            asio::async_write(socket, asio::buffer(buffer, n), yield[error]);
            must(!error);
        }
        --*serving;
    });
}

loop_ops OnlyServes()
{
    loop_ops ops = {};

    ops.open = Open;
    ops.close = Close;
    ops.turn = Turn;
    ops.serve = Serve;
    return ops;
}

const loop_ops ops = OnlyServes();

} // namespace

extern "C" {
extern const contender boost_spawn;
const contender boost_spawn = {"asio spawn", PEER,    nullptr, Version, &ops,
                               nullptr,      nullptr, nullptr, nullptr, nullptr};
}
