/* SPDX-License-Identifier: MIT */
/*
 * mapping_test.cc - a report means what poll(2) says of the same descriptor.
 *
 * Every situation is built anew for every set of events asked for, and what
 * the backend reports is compared with what poll(2) says at that moment.
 */
#include "fdmon_contract.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace contract
{
namespace
{

/* What is watched, and what must stay open meanwhile. */
struct Scene {
    Fd watched;
    Fd kept;
};

struct Situation {
    const char *name;
    Scene (*build)();
};

Scene Of(Pair pair)
{
    return {std::move(pair.a), std::move(pair.b)};
}

Scene OfWriter(Pair pair)
{
    return {std::move(pair.b), std::move(pair.a)};
}

Scene PipeReaderGone()
{
    Scene scene = OfWriter(Pipe());
    scene.kept.reset();
    return scene;
}

Scene FullPipeReaderGone()
{
    Scene scene = OfWriter(Pipe());
    Fill(scene.watched.get());
    scene.kept.reset();
    return scene;
}

Scene PipeWriterGone()
{
    Scene scene = Of(Pipe());
    scene.kept.reset();
    return scene;
}

Scene PipeWriterGoneDataLeft()
{
    Scene scene = Of(Pipe());
    WriteByte(scene.kept.get());
    scene.kept.reset();
    return scene;
}

Scene FullPipe()
{
    Scene scene = OfWriter(Pipe());
    Fill(scene.watched.get());
    return scene;
}

Scene PeerGone(Pair pair)
{
    Scene scene = Of(std::move(pair));
    scene.kept.reset();
    return scene;
}

Scene PeerGoneDataLeft(Pair pair)
{
    Scene scene = Of(std::move(pair));
    WriteByte(scene.kept.get());
    scene.kept.reset();
    return scene;
}

Scene PeerGoneUnread(Pair pair) /* a reset, for TCP */
{
    Scene scene = Of(std::move(pair));
    WriteByte(scene.watched.get());
    scene.kept.reset();
    return scene;
}

Scene PeerShutsDown(Pair pair)
{
    Scene scene = Of(std::move(pair));
    shutdown(scene.kept.get(), SHUT_WR);
    return scene;
}

Scene FullAndPeerShutsDown(Pair pair)
{
    Scene scene = PeerShutsDown(std::move(pair));
    Fill(scene.watched.get());
    return scene;
}

Scene BothShutDown(Pair pair)
{
    Scene scene = PeerShutsDown(std::move(pair));
    shutdown(scene.watched.get(), SHUT_WR);
    return scene;
}

Scene WeShutDownReading(Pair pair)
{
    Scene scene = Of(std::move(pair));
    shutdown(scene.watched.get(), SHUT_RD);
    return scene;
}

Scene TcpReset()
{
    Scene scene = Of(TcpPair());
    linger now = {1, 0};
    setsockopt(scene.kept.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    scene.kept.reset();
    return scene;
}

Scene TcpUrgent()
{
    Scene scene = Of(TcpPair());
    EXPECT_EQ(send(scene.kept.get(), "!", 1, MSG_OOB), 1);
    return scene;
}

Scene TcpConnectionRefused()
{
    Scene scene;
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_port = htons(1);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    scene.watched.reset(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    EXPECT_LT(connect(scene.watched.get(), (sockaddr *)&at, sizeof(at)), 0);
    return scene;
}

Scene Listener(bool connection)
{
    Scene scene;
    sockaddr_in at = {};
    socklen_t bytes = sizeof(at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    scene.watched.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(scene.watched.get(), (sockaddr *)&at, sizeof(at)), 0);
    EXPECT_EQ(listen(scene.watched.get(), 1), 0);
    if (connection) {
        scene.kept.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(getsockname(scene.watched.get(), (sockaddr *)&at, &bytes), 0);
        EXPECT_EQ(connect(scene.kept.get(), (sockaddr *)&at, sizeof(at)), 0);
    }
    return scene;
}

Scene Timer(bool expired)
{
    Scene scene;
    itimerspec at = {{0, 0}, {expired ? 0 : 1000, 1}};
    scene.watched.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    EXPECT_EQ(timerfd_settime(scene.watched.get(), 0, &at, nullptr), 0);
    pollfd ready = {scene.watched.get(), POLLIN, 0};
    if (expired) {
        EXPECT_EQ(poll(&ready, 1, -1), 1);
    }
    return scene;
}

Scene Signals()
{
    Scene scene;
    sigset_t none;
    sigemptyset(&none);
    scene.watched.reset(signalfd(-1, &none, SFD_CLOEXEC));
    return scene;
}

Scene Inotify()
{
    Scene scene;
    scene.watched.reset(inotify_init1(IN_CLOEXEC));
    return scene;
}

Scene TerminalHungUp()
{
    Scene scene;
    scene.watched.reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_EQ(grantpt(scene.watched.get()), 0);
    EXPECT_EQ(unlockpt(scene.watched.get()), 0);
    Fd slave(open(ptsname(scene.watched.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    return scene;
}

Scene FullEventfd()
{
    return {Event(UINT64_MAX - 1), Fd()};
}

const Situation kSituations[] = {
    {"empty pipe", [] { return Of(Pipe()); }},
    {"pipe with room", [] { return OfWriter(Pipe()); }},
    {"full pipe", FullPipe},
    {"pipe, reader gone", PipeReaderGone},
    {"full pipe, reader gone", FullPipeReaderGone},
    {"pipe, writer gone", PipeWriterGone},
    {"pipe, writer gone, data left", PipeWriterGoneDataLeft},
    {"unix", [] { return Of(UnixPair()); }},
    {"unix, peer gone", [] { return PeerGone(UnixPair()); }},
    {"unix, peer gone, data left", [] { return PeerGoneDataLeft(UnixPair()); }},
    {"unix, peer gone, data unread", [] { return PeerGoneUnread(UnixPair()); }},
    {"unix, peer shut down", [] { return PeerShutsDown(UnixPair()); }},
    {"unix, full, peer shut down", [] { return FullAndPeerShutsDown(UnixPair()); }},
    {"unix, both shut down", [] { return BothShutDown(UnixPair()); }},
    {"unix, we shut down reading", [] { return WeShutDownReading(UnixPair()); }},
    {"tcp", [] { return Of(TcpPair()); }},
    {"tcp, peer gone", [] { return PeerGone(TcpPair()); }},
    {"tcp, peer gone, data left", [] { return PeerGoneDataLeft(TcpPair()); }},
    {"tcp, peer gone, data unread", [] { return PeerGoneUnread(TcpPair()); }},
    {"tcp, peer shut down", [] { return PeerShutsDown(TcpPair()); }},
    {"tcp, full, peer shut down", [] { return FullAndPeerShutsDown(TcpPair()); }},
    {"tcp, both shut down", [] { return BothShutDown(TcpPair()); }},
    {"tcp, reset", TcpReset},
    {"tcp, urgent byte", TcpUrgent},
    {"tcp, refused", TcpConnectionRefused},
    {"tcp, not connected",
     [] {
         return Scene{Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), Fd()};
     }},
    {"udp",
     [] {
         return Scene{Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), Fd()};
     }},
    {"listener", [] { return Listener(false); }},
    {"listener with a connection", [] { return Listener(true); }},
    {"eventfd",
     [] {
         return Scene{Event(), Fd()};
     }},
    {"eventfd, set",
     [] {
         return Scene{Event(1), Fd()};
     }},
    {"eventfd, full", FullEventfd},
    {"timer", [] { return Timer(false); }},
    {"timer, expired", [] { return Timer(true); }},
    {"signalfd", Signals},
    {"inotify", Inotify},
    {"terminal, hung up", TerminalHungUp},
};

const uint32_t kAsked[] = {
    AIOX_FD_READ,
    AIOX_FD_WRITE,
    AIOX_FD_PRI,
    AIOX_FD_READ | AIOX_FD_WRITE,
    AIOX_FD_READ | AIOX_FD_WRITE | AIOX_FD_PRI,
    AIOX_FDMON_DRAINS, /* nothing but hang-up and error */
};

const struct {
    short poll;
    uint32_t ours;
} kWords[] = {
    {POLLIN, AIOX_FD_READ},    {POLLOUT, AIOX_FD_WRITE}, {POLLPRI, AIOX_FD_PRI},
    {POLLHUP, AIOX_FD_HANGUP}, {POLLERR, AIOX_FD_ERROR},
};

uint32_t WhatPollSays(int fd, uint32_t asked)
{
    pollfd p = {fd, 0, 0};
    uint32_t said = 0;

    for (auto &word : kWords) {
        p.events |= asked & AIOX_FD_ASKABLE & word.ours ? word.poll : 0;
    }
    poll(&p, 1, 0);
    for (auto &word : kWords) {
        said |= p.revents & word.poll ? word.ours : 0;
    }
    return said;
}

Reports Expected(int fd, uint32_t asked)
{
    uint32_t events = WhatPollSays(fd, asked);
    return events ? Reports{{7, events}} : Reports{};
}

TEST_P(FdmonContract, MeansWhatPollSays)
{
    for (const Situation &situation : kSituations) {
        for (uint32_t asked : kAsked) {
            SCOPED_TRACE(std::string(situation.name) + ", asked " + std::to_string(asked));
            Monitor mon(plugin(), &host_);
            Scene scene = situation.build();
            int fd = scene.watched.get();

            ASSERT_EQ(mon.Watch(fd, asked, 7), 0);

            EXPECT_EQ(mon.Look(), Expected(fd, asked));
            /* Who drains is told once; all others as long as it lasts. */
            for (int i = 0; i < 3 && !(asked & AIOX_FDMON_DRAINS); i++) {
                EXPECT_EQ(mon.Look(), Expected(fd, asked)) << i;
            }
        }
    }
}

/* The kernel's io_uring reports a half-closed socket to whoever watches it for anything. */
TEST_P(FdmonContract, AHalfClosedSocketCanBeAwaitedForWriting)
{
    for (bool tcp : {false, true}) {
        Monitor mon(plugin(), &host_);
        Pair pair = tcp ? TcpPair() : UnixPair();

        shutdown(pair.b.get(), SHUT_WR);
        for (int round = 0; round < 20; round++) {
            Fill(pair.a.get());
            ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_WRITE, 7), 0);
            ASSERT_LT(mon.CollectsUntilAsleep(1000), 1000) << "does not sleep";
            Drain(pair.b.get());
            mon.Await(7, AIOX_FD_WRITE);
            ASSERT_EQ(mon.Look(), (Reports{{7, AIOX_FD_WRITE}}));
            ASSERT_EQ(mon.Look(), (Reports{{7, AIOX_FD_WRITE}}));
            if (round % 2) {
                ASSERT_EQ(mon.Stop(pair.a.get()), 0);
            }
        }
    }
}

TEST_P(FdmonContract, AHangUpWhileWaitingEndsTheWait)
{
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();
    Pair unix_pair = UnixPair();

    ASSERT_EQ(mon.Watch(pipe.a.get(), AIOX_FDMON_DRAINS, 1), 0);
    ASSERT_EQ(mon.Watch(unix_pair.a.get(), AIOX_FD_PRI, 2), 0);
    ASSERT_TRUE(mon.Look().empty());
    pipe.b.reset();
    mon.Await(1, AIOX_FD_HANGUP);
    unix_pair.b.reset();
    mon.Await(2, AIOX_FD_HANGUP);
}

} // namespace
} // namespace contract
