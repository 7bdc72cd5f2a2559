/* SPDX-License-Identifier: MIT */
/*
 * lifetime_test.cc - monitors that come and go, what they hold, children.
 */
#include "fdmon_contract.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace contract
{
namespace
{

TEST_P(FdmonContract, AStoppedDescriptorIsNotHeldOpen)
{
    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        Monitor mon(plugin(), &host_);
        Pair pair = UnixPair();

        ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_READ | how, 1), 0);
        ASSERT_TRUE(mon.Look().empty());
        ASSERT_EQ(mon.Stop(pair.a.get()), 0);
        mon.Look();
        pair.a.reset();

        pollfd gone = {pair.b.get(), 0, 0};
        EXPECT_EQ(poll(&gone, 1, -1), 1); /* hangs if somebody holds it */
        EXPECT_TRUE(gone.revents & POLLHUP);
    }
}

/* The kernel is about to tell of it. */
TEST_P(FdmonContract, ADescriptorStoppedAsItBecomesReadyIsNotHeldOpen)
{
    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        Monitor mon(plugin(), &host_);
        Pair pair = UnixPair();
        Fd other = Event();

        ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_READ | how, 1), 0);
        ASSERT_EQ(mon.Watch(other.get(), AIOX_FD_READ | how, 2), 0);
        ASSERT_TRUE(mon.Look().empty());
        ASSERT_EQ(write(pair.b.get(), "x", 1), 1);
        Ring(other.get());
        ASSERT_EQ(mon.Stop(pair.a.get()), 0);
        EXPECT_EQ(mon.Look(), (Reports{{2, AIOX_FD_READ}}));
        pair.a.reset();

        pollfd gone = {pair.b.get(), 0, 0};
        EXPECT_EQ(poll(&gone, 1, -1), 1); /* hangs if somebody holds it */
        EXPECT_TRUE(gone.revents & POLLHUP);
    }
}

TEST_P(FdmonContract, ClosingTheMonitorHoldsNothingOpen)
{
    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        Monitor mon(plugin(), &host_);
        Pair pair = UnixPair();

        ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_READ | how, 1), 0);
        ASSERT_TRUE(mon.Look().empty());
        mon.Close();
        pair.a.reset();

        pollfd gone = {pair.b.get(), 0, 0};
        EXPECT_EQ(poll(&gone, 1, 0), 1) << "somebody holds it";
    }
}

int CountLines(const char *path)
{
    std::ifstream file(path);
    std::string line;
    int lines = 0;

    while (std::getline(file, line)) {
        lines++;
    }
    return lines;
}

TEST_P(FdmonContract, ComesAndGoesWithoutATrace)
{
    auto live = [this] {
        Monitor mon(plugin(), &host_);
        Fd fds[3] = {Event(1), Event(), Event()};
        for (int i = 0; i < 3; i++) {
            ASSERT_EQ(mon.Watch(fds[i].get(), AIOX_FD_READ, i), 0);
        }
        ASSERT_EQ(mon.Look().size(), 1u);
        ASSERT_EQ(mon.Stop(fds[1].get()), 0);
    };

    live();
    int maps = CountLines("/proc/self/maps");
    auto open = OpenDescriptors();
    for (int i = 0; i < 200; i++) {
        live();
    }
    EXPECT_EQ(OpenDescriptors(), open);
    EXPECT_LT(CountLines("/proc/self/maps"), maps + 20);
    EXPECT_EQ(host_.live(), 0);
}

TEST_P(FdmonContract, ItsDescriptorsAreClosedByExec)
{
    auto before = OpenDescriptors();
    Monitor mon(plugin(), &host_);
    mon.Look();

    for (auto &entry : OpenDescriptors()) {
        if (!before.count(entry)) {
            EXPECT_EQ(fcntl(std::stoi(entry), F_GETFD), FD_CLOEXEC) << entry;
        }
    }
}

TEST_P(FdmonContract, OpenedHereUsedThereClosedHere)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);
    Fd quiet = Event();

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(mon.Watch(quiet.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, 2), 0);
    std::thread home([&] {
        EXPECT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}}));
        EXPECT_EQ(mon.Flush(), 0);
    });
    home.join();
    mon.Close();
}

TEST_P(FdmonContract, NeverUsedCanBeClosed)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
}

TEST_P(FdmonContract, TheChildWorksOnAndTheParentNeverNotices)
{
    Monitor mon(plugin(), &host_);
    Fd mine = Event();
    Fd shared = Event();
    Fd ready[2] = {Event(), Event()};
    std::vector<Fd> quiet;

    ASSERT_EQ(mon.Watch(ready[0].get(), AIOX_FD_READ, 4), 0);
    ASSERT_EQ(mon.Watch(mine.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(mon.Watch(shared.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, 2), 0);
    for (int i = 0; i < 100; i++) {
        quiet.push_back(Event());
        ASSERT_EQ(mon.Watch(quiet.back().get(), AIOX_FD_READ, 100 + i), 0);
    }
    ASSERT_EQ(mon.Watch(ready[1].get(), AIOX_FD_READ, 5), 0);
    ASSERT_TRUE(mon.Look().empty());
    Ring(ready[0].get());
    Ring(ready[1].get());
    ASSERT_EQ(mon.Look(), (Reports{{4, AIOX_FD_READ}, {5, AIOX_FD_READ}}));
    int status = InChild([&] {
        if (mon.ops().after_fork) {
            mon.ops().after_fork(mon.get());
        }
        if (!Has(AIOX_FDMON_CAP_FORK)) {
            mon.Close();
            return 0;
        }
        Ring(shared.get());
        mon.Await(2, AIOX_FD_READ);
        Silence(shared.get());
        for (auto &fd : quiet) {
            mon.Stop(fd.get());
        }
        mon.Await(4, AIOX_FD_READ);
        mon.Await(5, AIOX_FD_READ);
        mon.Stop(ready[0].get());
        mon.Stop(ready[1].get());
        Fd own = Event(1);
        mon.Watch(own.get(), AIOX_FD_READ, 3);
        mon.Await(3, AIOX_FD_READ);
        own.reset();
        mon.Close();
        return HasFailure() ? 1 : 0;
    });

    EXPECT_EQ(status, 0);
    Reports reports = mon.Look();
    EXPECT_TRUE(reports.count(4) && reports.count(5));
    ASSERT_EQ(mon.Stop(ready[0].get()), 0);
    ASSERT_EQ(mon.Stop(ready[1].get()), 0);
    mon.CollectsUntilAsleep(10);
    for (auto &fd : quiet) {
        Ring(fd.get());
    }
    EXPECT_EQ(mon.Look(200).size(), quiet.size()) << "the child has taken them out";
    for (int i = 0; i < 1000; i++) {
        Ring(mine.get());
        mon.Await(1, AIOX_FD_READ);
        Silence(mine.get());
    }
}

TEST_P(FdmonContract, AChildThatOnlyExitsHarmsNobody)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event();

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
    mon.Look();
    EXPECT_EQ(InChild([] { return 0; }), 0);

    Ring(ready.get());
    EXPECT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, WithoutMemoryNothingChanges)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);
    Fd high(fcntl(ready.get(), F_DUPFD_CLOEXEC, 5000));

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
    for (int allowed = 0;; allowed++) {
        host_.FailAllocationAfter(allowed);
        int err = mon.Watch(high.get(), AIOX_FD_READ, 2);
        host_.FailAllocationAfter(-1);
        if (!err) {
            break;
        }
        ASSERT_EQ(err, -ENOMEM);
        ASSERT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}}));
    }

    EXPECT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}, {2, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, OpeningFailsCleanly)
{
    aiox_fdmon *out = nullptr;
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlimit none = {0, limit.rlim_max};

    host_.FailAllocationAfter(0);
    EXPECT_EQ(plugin()->ops->open(host_.table(), &out), -ENOMEM);
    host_.FailAllocationAfter(-1);
    setrlimit(RLIMIT_NOFILE, &none);
    int err = plugin()->ops->open(host_.table(), &out);
    setrlimit(RLIMIT_NOFILE, &limit);

    EXPECT_TRUE(err == 0 || err == -EMFILE) << err;
    EXPECT_EQ(out != nullptr, err == 0);
    if (out) {
        plugin()->ops->close(out);
    }
}

} // namespace
} // namespace contract
