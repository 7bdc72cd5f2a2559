/* SPDX-License-Identifier: MIT */
/*
 * closing_test.cc - descriptors that are closed, duplicated and used again.
 */
#include "fdmon_contract.h"

#include <fcntl.h>
#include <unistd.h>

namespace contract
{
namespace
{

using Said = std::map<uint64_t, std::vector<uint32_t>>;

TEST_P(FdmonContract, ClosedWhileWatchedIsReportedOnceAsAnErrorOrNever)
{
    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        Monitor mon(plugin(), &host_);
        Fd quiet = Event();
        Pair pipe = Pipe();
        Said said;

        ASSERT_EQ(mon.Watch(quiet.get(), AIOX_FD_READ | how, 1), 0);
        ASSERT_EQ(mon.Watch(pipe.a.get(), AIOX_FD_READ | how, 2), 0);
        mon.CollectsUntilAsleep(10);
        quiet.reset();
        pipe.a.reset();

        EXPECT_LT(mon.CollectsUntilAsleep(100, &said), 100) << "does not sleep";
        for (auto &[token, events] : said) {
            EXPECT_EQ(events, std::vector<uint32_t>{AIOX_FD_ERROR}) << token;
        }
        pipe.b.reset();
        EXPECT_LT(mon.CollectsUntilAsleep(100), 100);
    }
}

TEST_P(FdmonContract, ClosedWhileReadyDoesNotKeepItAwake)
{
    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        Monitor mon(plugin(), &host_);
        Fd ready = Event(1);

        ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ | how, 1), 0);
        mon.Await(1, AIOX_FD_READ);
        ready.reset();

        EXPECT_LT(mon.CollectsUntilAsleep(100), 100);
    }
}

/* The kernel's epoll goes on reporting such a file, and lets nobody take it out. */
TEST_P(FdmonContract, ClosedWhileADuplicateLivesIsNotReportedOnceStopped)
{
    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        Monitor mon(plugin(), &host_);
        Fd ready = Event(1);
        Fd other = Event();
        Fd duplicate(fcntl(ready.get(), F_DUPFD_CLOEXEC, 0));
        int number = ready.get();
        Said said;

        ASSERT_EQ(mon.Watch(other.get(), AIOX_FD_READ, 2), 0);
        ASSERT_EQ(mon.Watch(number, AIOX_FD_READ | how, 1), 0);
        mon.Await(1, AIOX_FD_READ);
        ready.reset();
        ASSERT_EQ(mon.Stop(number), 0);
        Ring(duplicate.get());

        EXPECT_LT(mon.CollectsUntilAsleep(100, &said), 100);
        EXPECT_TRUE(said.empty());
        Ring(other.get());
        EXPECT_EQ(mon.Look(), (Reports{{2, AIOX_FD_READ}}));
    }
}

/* Whoever passes a descriptor on stops watching, closes, and has done nothing wrong. */
TEST_P(FdmonContract, StoppedThenClosedWhileADuplicateLivesDisturbsNobody)
{
    for (bool is_reused : {false, true}) {
        Monitor mon(plugin(), &host_);
        Fd passed = Event();
        Fd other = Event();
        Fd duplicate(fcntl(passed.get(), F_DUPFD_CLOEXEC, 0));
        int number = passed.get();
        Fd next;
        Said said;

        ASSERT_EQ(mon.Watch(other.get(), AIOX_FD_READ, 2), 0);
        ASSERT_EQ(mon.Watch(number, AIOX_FD_READ, 1), 0);
        EXPECT_TRUE(mon.Look().empty());
        ASSERT_EQ(mon.Stop(number), 0);
        passed.reset();
        if (is_reused) {
            next = Event();
            ASSERT_EQ(next.get(), number);
            ASSERT_EQ(mon.Watch(number, AIOX_FD_READ, 3), 0);
        }
        Ring(duplicate.get());

        EXPECT_LT(mon.CollectsUntilAsleep(20, &said), 20);
        EXPECT_TRUE(said.empty());
        Ring(other.get());
        EXPECT_EQ(mon.Look(), (Reports{{2, AIOX_FD_READ}}));
        if (is_reused) {
            Ring(number);
            EXPECT_EQ(mon.Look(), (Reports{{2, AIOX_FD_READ}, {3, AIOX_FD_READ}}));
        }
    }
}

TEST_P(FdmonContract, AClosedOneAmongOthersDisturbsNone)
{
    constexpr int kFds = 6;

    for (int round = 0; round < kFds * kFds; round++) {
        Monitor mon(plugin(), &host_);
        int closed = round % kFds;
        int stopped = round / kFds;
        int number[kFds];
        std::vector<Fd> fds;
        Reports expected;

        for (int i = 0; i < kFds; i++) {
            fds.push_back(Event(1));
            number[i] = fds[i].get();
            ASSERT_EQ(mon.Watch(number[i], AIOX_FD_READ, i), 0);
            if (i != closed && i != stopped) {
                expected[i] = AIOX_FD_READ;
            }
        }
        fds[closed].reset();
        mon.Look();
        mon.Look();
        ASSERT_EQ(mon.Stop(number[stopped]), 0);
        mon.Look();
        if (closed != stopped) {
            ASSERT_EQ(mon.Stop(number[closed]), 0);
        }

        EXPECT_EQ(mon.Look(), expected) << closed << " closed, " << stopped << " stopped";
        EXPECT_EQ(mon.Look(), expected);
    }
}

/* Nobody has told the monitor that the descriptor is closed. */
TEST_P(FdmonContract, ClosedWhileADuplicateLivesDoesNotKeepItAwakeForEver)
{
    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        Monitor mon(plugin(), &host_);
        Fd ready = Event(1);
        Fd duplicate(fcntl(ready.get(), F_DUPFD_CLOEXEC, 0));

        ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ | how, 1), 0);
        mon.Await(1, AIOX_FD_READ);
        ready.reset();
        Ring(duplicate.get());

        EXPECT_LT(mon.CollectsUntilAsleep(2000), 2000);
    }
}

/*
 * Each descriptor carries a secret: the number of the round in which it was made. The old one is
 * closed in four ways; the new one has the same number.
 */
TEST_P(FdmonContract, AReusedNumberIsAnotherDescriptor)
{
    Monitor mon(plugin(), &host_);
    Fd watched = Event(1);
    Fd duplicate;
    int number = watched.get();

    ASSERT_EQ(mon.Watch(number, AIOX_FD_READ, 1), 0);
    for (uint64_t round = 2; round < 1000; round++) {
        uint32_t how = round % 3 ? 0u : (unsigned)AIOX_FDMON_DRAINS;
        duplicate.reset(round % 4 < 2 ? fcntl(number, F_DUPFD_CLOEXEC, 0) : -1);
        if (round % 2) {
            ASSERT_EQ(mon.Stop(number), 0);
        }
        watched.reset();
        Fd next = Event(round);
        ASSERT_EQ(next.get(), number);
        watched = std::move(next);
        ASSERT_EQ(mon.Watch(number, AIOX_FD_READ | how, round), 0);
        if (duplicate.get() >= 0) {
            Ring(duplicate.get());
        }

        ASSERT_EQ(mon.Look(), (Reports{{round, AIOX_FD_READ}}));
        ASSERT_EQ(Silence(number), round);
        Ring(number);
    }
    Silence(number);
    EXPECT_LT(mon.CollectsUntilAsleep(100), 100);
}

TEST_P(FdmonContract, ANumberTakenByDup2IsAnotherDescriptor)
{
    Monitor mon(plugin(), &host_);
    Fd old = Event(1);
    Fd kept(fcntl(old.get(), F_DUPFD_CLOEXEC, 0));
    Pair pipe = Pipe();

    ASSERT_EQ(mon.Watch(old.get(), AIOX_FD_READ, 1), 0);
    mon.Await(1, AIOX_FD_READ);
    ASSERT_EQ(dup3(pipe.a.get(), old.get(), O_CLOEXEC), old.get());
    ASSERT_EQ(mon.Watch(old.get(), AIOX_FD_READ, 2), 0);
    EXPECT_TRUE(mon.Look().empty()) << "the pipe is empty";
    WriteByte(pipe.b.get());
    EXPECT_EQ(mon.Look(), (Reports{{2, AIOX_FD_READ}}));

    /* and back: the old file under its old number, which epoll still has in its set */
    ASSERT_EQ(mon.Stop(old.get()), 0);
    ASSERT_EQ(dup3(kept.get(), old.get(), O_CLOEXEC), old.get());
    ASSERT_EQ(mon.Watch(old.get(), AIOX_FD_READ, 3), 0);
    EXPECT_EQ(mon.Look(), (Reports{{3, AIOX_FD_READ}}));

    /* there and back without a look */
    ASSERT_EQ(dup3(pipe.a.get(), old.get(), O_CLOEXEC), old.get());
    ASSERT_EQ(mon.Stop(old.get()), 0);
    ASSERT_EQ(dup3(kept.get(), old.get(), O_CLOEXEC), old.get());
    ASSERT_EQ(mon.Watch(old.get(), AIOX_FD_READ, 4), 0);
    EXPECT_EQ(mon.Look(), (Reports{{4, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, BothNumbersOfOneFileCanBeWatched)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);
    Fd duplicate(fcntl(ready.get(), F_DUPFD_CLOEXEC, 0));

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(mon.Watch(duplicate.get(), AIOX_FD_READ, 2), 0);
    EXPECT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}, {2, AIOX_FD_READ}}));
    ASSERT_EQ(mon.Stop(ready.get()), 0);

    EXPECT_EQ(mon.Look(), (Reports{{2, AIOX_FD_READ}}));
}

} // namespace
} // namespace contract
