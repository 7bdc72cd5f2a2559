/* SPDX-License-Identifier: MIT */
/* asio_spawn.cc - Boost.Asio with a stackful coroutine for each connection. */
#define BOOST_ALLOW_DEPRECATED_HEADERS /* its own, of each other */
#define BOOST_COROUTINES_NO_DEPRECATION_WARNING
#include <unistd.h>

#include <boost/asio/spawn.hpp>

#include "asio.h"

namespace
{
using namespace asio_loop;

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

void Pass(void *loop, long count, long times)
{
    long passing = count;

    for (long i = 0; i < count; i++) {
        asio::spawn(Of(loop)->context, [=, &passing](asio::yield_context yield) {
            for (long left = times; left > 0; left--) {
                asio::post(yield);
            }
            EndRun(loop, &passing);
        });
    }
    RunUntilEnd(loop);
}

const loop_ops ops = OnlyCoroutines(Serve, Pass);

} // namespace

extern "C" {
extern const contender boost_spawn;
const contender boost_spawn = {"asio spawn", PEER,    nullptr, Version, &ops,
                               nullptr,      nullptr, nullptr, nullptr, nullptr};
}
