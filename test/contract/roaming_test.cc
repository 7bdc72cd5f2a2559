/* SPDX-License-Identifier: MIT */
/* roaming_test.cc - "aiox.roaming/1": one thread after another is [home]. */
#include "completion.h"
#include "fdmon_contract.h"

#include <functional>
#include <thread>
#include <unistd.h>

namespace contract
{
namespace
{

enum { HOMES = 5 };

class Roaming : public FdmonContract
{
  protected:
    Roaming()
    {
        host_.SetRoaming();
    }

    void SetUp() override
    {
        if (!Has(AIOX_FDMON_CAP_ROAMS) && !Has(AIOX_FDMON_CAP_MAY_ROAM)) {
            GTEST_SKIP() << "bound to one thread";
        }
    }

    /* @visit is made by one thread after another, each of which ends. */
    static void InEachHome(const std::function<void(int)> &visit)
    {
        for (int i = 0; i < HOMES && !HasFailure(); i++) {
            std::thread(visit, i).join();
        }
    }
};

TEST_P(Roaming, WhatOneThreadWatchesIsReportedToTheNext)
{
    Monitor mon(plugin(), &host_);
    Fd event = Event();
    ASSERT_EQ(mon.Watch(event.get(), AIOX_FD_READ, 7), 0);
    mon.Look();

    InEachHome([&](int) {
        Ring(event.get());
        mon.Await(7, AIOX_FD_READ);
        Silence(event.get());
    });

    Ring(event.get());
    mon.Await(7, AIOX_FD_READ);
}

TEST_P(Roaming, EachThreadChangesWhatIsWatched)
{
    Monitor mon(plugin(), &host_);
    std::vector<Fd> events;
    for (int i = 0; i < HOMES; i++) {
        events.push_back(Event(1));
    }

    InEachHome([&](int i) {
        EXPECT_EQ(mon.Watch(events[i].get(), AIOX_FD_READ, 100 + i), 0);
        mon.Await(100 + i, AIOX_FD_READ);
        EXPECT_EQ(mon.Stop(events[i].get()), 0);
        EXPECT_TRUE(mon.Look().empty());
    });
}

/* Asleep in one thread, it hears of what another asks for, whoever was home before. */
TEST_P(Roaming, ASleepingHomeHearsOfAChange)
{
    Monitor mon(plugin(), &host_);
    Fd bell = Event();
    Fd event = Event(1);
    ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ, 1), 0);
    mon.Look();

    InEachHome([&](int i) {
        std::thread other([&] {
            EXPECT_EQ(mon.Watch(event.get(), AIOX_FD_READ, 2 + i), 0);
            Ring(bell.get());
        });
        mon.Await(1, AIOX_FD_READ);
        other.join();
        Silence(bell.get());
        mon.Await(2 + i, AIOX_FD_READ);
        EXPECT_EQ(mon.Stop(event.get()), 0);
    });
}

/* The thread that has handed one over does something else meanwhile. */
TEST_P(Roaming, ARequestIsReportedToAnotherThread)
{
    if (!Has(AIOX_FDMON_CAP_COMPLETION)) {
        GTEST_SKIP();
    }
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();
    char byte = 0;
    ASSERT_EQ(Submit(mon, 9, Transfer(IORING_OP_READ, pipe.a.get(), &byte, 1, 0)), 0);
    mon.Look();

    std::thread([&] {
        WriteByte(pipe.b.get());
        EXPECT_EQ(AwaitResults(mon, 1)[9], std::vector<int32_t>{1});
    }).join();
}

INSTANTIATE_TEST_SUITE_P(Backends, Roaming, ::testing::ValuesIn(Backends()), NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Roaming);

} // namespace
} // namespace contract
