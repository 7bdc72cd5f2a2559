/* SPDX-License-Identifier: MIT */
/*
 * readiness_test.cc - what is reported, and what is not.
 */
#include "fdmon_contract.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace contract
{
namespace
{

TEST_P(FdmonContract, WatchingNothingReportsNothing)
{
    Monitor mon(plugin(), &host_);

    EXPECT_TRUE(mon.Look().empty());
}

TEST_P(FdmonContract, InterestBeforeCollectIsSeenByThatCollect)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 7), 0);

    EXPECT_EQ(mon.Look(), (Reports{{7, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, InterestRemovedBeforeCollectIsNotReportedByIt)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);
    Fd other = Event(1);

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 7), 0);
    ASSERT_EQ(mon.Watch(other.get(), AIOX_FD_READ, 8), 0);
    ASSERT_EQ(mon.Stop(ready.get()), 0);

    EXPECT_EQ(mon.Look(), (Reports{{8, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, InterestRemovedAfterAReportIsNotReportedAgain)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);

    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ | how, 7), 0);
        mon.Await(7, AIOX_FD_READ);
        Ring(ready.get());
        ASSERT_EQ(mon.Stop(ready.get()), 0);

        std::map<uint64_t, std::vector<uint32_t>> said;
        mon.CollectsUntilAsleep(10, &said);
        EXPECT_TRUE(said.empty());
    }
}

TEST_P(FdmonContract, WhatBecomesReadyOnceStoppedKeepsNobodyAwake)
{
    Monitor mon(plugin(), &host_);
    Fd stopped[8];
    Fd other = Event();

    ASSERT_EQ(mon.Watch(other.get(), AIOX_FD_READ, 100), 0);
    for (int i = 0; i < 8; i++) {
        stopped[i] = Event();
        ASSERT_EQ(mon.Watch(stopped[i].get(), AIOX_FD_READ, i), 0);
    }
    EXPECT_TRUE(mon.Look().empty());
    for (auto &fd : stopped) {
        ASSERT_EQ(mon.Stop(fd.get()), 0);
        Ring(fd.get());
    }

    std::map<uint64_t, std::vector<uint32_t>> said;
    EXPECT_LT(mon.CollectsUntilAsleep(10, &said), 10);
    EXPECT_TRUE(said.empty());
    ASSERT_EQ(mon.Watch(stopped[5].get(), AIOX_FD_READ, 5), 0);
    EXPECT_EQ(mon.Look(), (Reports{{5, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, WhatIsReadyIsReportedEachTime)
{
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();
    char byte;

    ASSERT_EQ(mon.Watch(pipe.a.get(), AIOX_FD_READ, 7), 0);
    ASSERT_TRUE(mon.Look().empty());
    WriteByte(pipe.b.get());
    WriteByte(pipe.b.get());
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(mon.Look(), (Reports{{7, AIOX_FD_READ}})) << i;
    }

    ASSERT_EQ(read(pipe.a.get(), &byte, 1), 1);
    EXPECT_EQ(mon.Look(), (Reports{{7, AIOX_FD_READ}})) << "one byte is left";
    ASSERT_EQ(read(pipe.a.get(), &byte, 1), 1);
    mon.CollectsUntilAsleep(10);
    EXPECT_TRUE(mon.Look().empty());
}

TEST_P(FdmonContract, RoomToWriteIsReportedWhenThereIsSome)
{
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();

    ASSERT_EQ(mon.Watch(pipe.b.get(), AIOX_FD_WRITE, 7), 0);
    EXPECT_EQ(mon.Look(), (Reports{{7, AIOX_FD_WRITE}}));
    Fill(pipe.b.get());
    mon.CollectsUntilAsleep(10);
    EXPECT_TRUE(mon.Look().empty());
    Drain(pipe.a.get());

    EXPECT_EQ(mon.Look(), (Reports{{7, AIOX_FD_WRITE}}));
}

TEST_P(FdmonContract, BothDirectionsComeInOneReport)
{
    Monitor mon(plugin(), &host_);
    Pair pair = UnixPair();

    ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_READ | AIOX_FD_WRITE, 7), 0);
    WriteByte(pair.b.get());

    EXPECT_EQ(mon.Look(), (Reports{{7, AIOX_FD_READ | AIOX_FD_WRITE}}));
}

TEST_P(FdmonContract, TheLastInterestCounts)
{
    Monitor mon(plugin(), &host_);
    Pair pair = UnixPair();

    WriteByte(pair.b.get());
    for (uint64_t round = 0; round < 50; round++) {
        uint32_t events = round % 2 ? AIOX_FD_READ : AIOX_FD_WRITE;
        ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_READ | AIOX_FD_WRITE, 1000 + round), 0);
        ASSERT_EQ(mon.Watch(pair.a.get(), events, 2000 + round), 0);

        ASSERT_EQ(mon.Look(), (Reports{{2000 + round, events}}));
    }
}

TEST_P(FdmonContract, StopAndStartAgainInOneTurn)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);

    for (uint64_t round = 0; round < 50; round++) {
        ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, round), 0);
        ASSERT_EQ(mon.Look(), (Reports{{round, AIOX_FD_READ}}));
        ASSERT_EQ(mon.Stop(ready.get()), 0);
        if (round % 3 == 0) {
            ASSERT_TRUE(mon.Look().empty());
        }
    }
}

TEST_P(FdmonContract, AThousandChangesBetweenTwoCollectsTakeNoMemory)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
    int live = host_.live();
    for (uint64_t round = 0; round < 1000; round++) {
        ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ | AIOX_FD_WRITE, round), 0);
        ASSERT_EQ(mon.Stop(ready.get()), 0);
        ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 10000 + round), 0);
    }

    EXPECT_LE(host_.live(), live + 2);
    EXPECT_EQ(mon.Look(), (Reports{{10999, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, TokensAreOpaque)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event(1);
    Fd b = Event(1);
    Fd c = Event(1);

    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 0), 0);
    ASSERT_EQ(mon.Watch(b.get(), AIOX_FD_READ, UINT64_MAX), 0);
    ASSERT_EQ(mon.Watch(c.get(), AIOX_FD_READ, UINT64_C(1) << 63), 0);

    EXPECT_EQ(mon.Look(), (Reports{{0, AIOX_FD_READ},
                                   {UINT64_C(1) << 63, AIOX_FD_READ},
                                   {UINT64_MAX, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, WhoDrainsIsToldOfEachChange)
{
    Monitor mon(plugin(), &host_);
    Fd bell = Event(1);

    ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, 7), 0);
    for (int round = 0; round < 1000; round++) {
        mon.Await(7, AIOX_FD_READ);
        ASSERT_EQ(Silence(bell.get()), 1u);
        Ring(bell.get());
    }
    mon.Await(7, AIOX_FD_READ);
    ASSERT_EQ(Silence(bell.get()), 1u);

    mon.CollectsUntilAsleep(10);
    EXPECT_TRUE(mon.Look().empty());
}

TEST_P(FdmonContract, WhoDrainsOneDirectionStillHearsOfTheOther)
{
    Monitor mon(plugin(), &host_);
    Pair pair = UnixPair();

    ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_READ | AIOX_FD_WRITE | AIOX_FDMON_DRAINS, 7), 0);
    mon.Await(7, AIOX_FD_WRITE);
    Fill(pair.a.get());
    mon.CollectsUntilAsleep(10);

    WriteByte(pair.b.get());
    mon.Await(7, AIOX_FD_READ);
    Drain(pair.a.get());
    Drain(pair.b.get());
    mon.Await(7, AIOX_FD_WRITE);
}

TEST_P(FdmonContract, ARegularFileIsRefusedOrAlwaysReady)
{
    Monitor mon(plugin(), &host_);
    char name[] = "/tmp/fdmon_contract_XXXXXX";
    Fd file(mkostemp(name, O_CLOEXEC));
    unlink(name);

    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        int err = mon.Watch(file.get(), AIOX_FD_READ | AIOX_FD_WRITE | how, 7);
        ASSERT_EQ(err, Has(AIOX_FDMON_CAP_REGULAR) ? 0 : -EPERM);
        for (int i = 0; !err && i < 5; i++) {
            ASSERT_EQ(mon.Look(), (Reports{{7, AIOX_FD_READ | AIOX_FD_WRITE}})) << i;
        }
    }
    if (!Has(AIOX_FDMON_CAP_REGULAR)) {
        EXPECT_TRUE(mon.Look().empty());
    } else {
        EXPECT_EQ(mon.Stop(file.get()), 0);
        EXPECT_TRUE(mon.Look().empty());
    }
}

TEST_P(FdmonContract, ADescriptorThatIsNotOpenIsRefused)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);
    Fd gone = Event(1);
    int number = gone.get();

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 7), 0);
    gone.reset();
    EXPECT_EQ(mon.Watch(number, AIOX_FD_READ, 8), -EBADF);
    EXPECT_EQ(mon.Watch(-1, AIOX_FD_READ, 9), -EBADF);
    EXPECT_EQ(mon.Watch(1 << 30, AIOX_FD_READ, 10), -EBADF);
    EXPECT_EQ(mon.ops().interest(mon.get(), number, 0, 0, 8), 0) << "stopping never fails";
    EXPECT_EQ(mon.ops().interest(mon.get(), -1, 0, 0, 8), 0);

    EXPECT_EQ(mon.Look(), (Reports{{7, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, MoreThanFitsIsBroughtByLaterCalls)
{
    constexpr int kReady = 300;
    constexpr int kFits = 7;
    Monitor mon(plugin(), &host_);
    std::vector<Fd> fds;
    std::map<uint64_t, int> count;

    for (int i = 0; i < kReady; i++) {
        fds.push_back(Event(1));
        ASSERT_EQ(mon.Watch(fds.back().get(), AIOX_FD_READ, i), 0);
    }
    for (int turn = 0; turn < 20 * kReady / kFits; turn++) {
        for (auto &[token, events] : mon.Look(kFits)) {
            count[token]++;
        }
    }

    for (int i = 0; i < kReady; i++) {
        EXPECT_GE(count[i], 10) << i;
        EXPECT_LE(count[i], 40) << i;
    }
}

TEST_P(FdmonContract, FourThousandReadyOnesAllGetTheirTurn)
{
    constexpr int kReady = 4000;
    constexpr int kFits = 128;
    Monitor mon(plugin(), &host_);
    std::vector<Fd> fds;
    std::set<uint64_t> seen;

    for (int i = 0; i < kReady; i++) {
        fds.push_back(Event(1));
        ASSERT_EQ(mon.Watch(fds.back().get(), AIOX_FD_READ, i), 0);
    }
    for (int turn = 0; turn < 2 * kReady && seen.size() < kReady; turn++) {
        for (auto &[token, events] : mon.Look(kFits)) {
            seen.insert(token);
        }
    }

    EXPECT_EQ(seen.size(), (size_t)kReady);
}

TEST_P(FdmonContract, AFloodDoesNotHideTheOthers)
{
    Monitor mon(plugin(), &host_);
    Fd flood[3] = {Event(1), Event(1), Event(1)};
    Fd rare = Event();

    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(mon.Watch(flood[i].get(), AIOX_FD_READ, i), 0);
    }
    ASSERT_EQ(mon.Watch(rare.get(), AIOX_FD_READ, 99), 0);
    for (int round = 0; round < 100; round++) {
        int turns = 0;
        Ring(rare.get());
        while (!mon.Look(2).count(99)) {
            ASSERT_LT(++turns, 12);
        }
        Silence(rare.get());
        while (mon.Look(2).count(99)) { /* what was already on its way */
        }
    }
}

TEST_P(FdmonContract, TenThousandAreWatchedAndTheReadyOnesReported)
{
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    int many = limit.rlim_cur < 10300 ? (int)limit.rlim_cur - 300 : 10000;
    Monitor mon(plugin(), &host_);
    std::vector<Fd> fds;
    Reports expected;

    for (int i = 0; i < many; i++) {
        fds.push_back(Event());
        ASSERT_EQ(mon.Watch(fds.back().get(), AIOX_FD_READ, i), 0);
    }
    EXPECT_TRUE(mon.Look().empty());
    for (int i = 0; i < 10; i++) {
        Ring(fds[i * (many / 10) + i].get());
        expected[i * (many / 10) + i] = AIOX_FD_READ;
    }
    EXPECT_EQ(mon.Look(), expected);

    for (Fd &fd : fds) {
        ASSERT_EQ(mon.Stop(fd.get()), 0);
    }
    EXPECT_TRUE(mon.Look().empty());
}

TEST_P(FdmonContract, HighNumbersAreNumbersLikeOthers)
{
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    Monitor mon(plugin(), &host_);
    Fd low = Event(1);
    Fd high(fcntl(low.get(), F_DUPFD_CLOEXEC, (int)limit.rlim_cur - 2));

    ASSERT_GE(high.get(), 0);
    ASSERT_EQ(mon.Watch(high.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(mon.Watch(low.get(), AIOX_FD_READ, 2), 0);

    EXPECT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}, {2, AIOX_FD_READ}}));
}

TEST_P(FdmonContract, TwoMonitorsKnowNothingOfEachOther)
{
    Monitor mon(plugin(), &host_);
    Monitor other(plugin(), &host_);
    Fd ready = Event(1);

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(other.Watch(ready.get(), AIOX_FD_READ, 2), 0);
    EXPECT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}}));
    EXPECT_EQ(other.Look(), (Reports{{2, AIOX_FD_READ}}));
    ASSERT_EQ(mon.Stop(ready.get()), 0);

    EXPECT_TRUE(mon.Look().empty());
    EXPECT_EQ(other.Look(), (Reports{{2, AIOX_FD_READ}}));
}

} // namespace
} // namespace contract
