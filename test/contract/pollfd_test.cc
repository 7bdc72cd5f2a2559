/* SPDX-License-Identifier: MIT */
/*
 * pollfd_test.cc - "aiox.pollfd/1": somebody else waits for the backend. Where
 * a test waits without a limit, a descriptor that stays silent is a hang.
 */
#include "completion.h"
#include "fdmon_contract.h"

#include <cerrno>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace contract
{
namespace
{

/* A monitor, and somebody outside who waits for it. */
class Outside : public FdmonContract
{
  protected:
    Outside()
    {
        host_.SetHosted();
    }

    static bool IsReadable(int fd, int timeout_ms)
    {
        pollfd p = {fd, POLLIN, 0};
        int n;

        do {
            n = poll(&p, 1, timeout_ms);
        } while (n < 0 && errno == EINTR);
        return n == 1;
    }

    /* Waits until the monitor may have something: what a loop that is a guest does. */
    static void Wait(Monitor *mon)
    {
        uint32_t file = 0;
        bool ready = false;
        int fd = mon->pollfd()->prepare(mon->get(), &file, &ready);

        ASSERT_GE(fd, 0);
        if (!ready && !(mon->ops().pending && mon->ops().pending(mon->get()))) {
            ASSERT_TRUE(IsReadable(fd, -1));
        }
    }

    /* How many rounds there are, at most @limit, until the descriptor stays silent. */
    static int RoundsUntilSilent(Monitor *mon, int limit)
    {
        int rounds = 0;

        for (int silent = 0; silent < 3 && rounds < limit; rounds++) {
            uint32_t file = 0;
            bool ready = false;
            int fd = mon->pollfd()->prepare(mon->get(), &file, &ready);
            EXPECT_GE(fd, 0);
            silent = !ready && !IsReadable(fd, 0) ? silent + 1 : 0;
            mon->Collect(0);
        }
        return rounds;
    }
};

TEST_P(Outside, TheDescriptorShowsWhatBecomesReady)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event();
    Fd b = Event();
    Pair pipe = Pipe();
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(mon.Watch(b.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, 2), 0);
    ASSERT_EQ(mon.Watch(pipe.a.get(), AIOX_FD_READ, 3), 0);

    for (int i = 0; i < 300; i++) {
        std::thread other([&, i] {
            if (i % 3 == 2) {
                WriteByte(pipe.b.get());
            } else {
                Ring(i % 3 ? a.get() : b.get());
            }
        });
        for (bool heard = false; !heard;) {
            ASSERT_NO_FATAL_FAILURE(Wait(&mon));
            for (auto &e : mon.Collect(0)) {
                heard = true;
                e.token == 3 ? Drain(pipe.a.get())
                             : static_cast<void>(Silence(e.token == 1 ? a.get() : b.get()));
            }
        }
        other.join();
    }
}

TEST_P(Outside, ItIsSilentWhenNothingIsToBeCollected)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event(1);
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);
    ASSERT_NO_FATAL_FAILURE(Wait(&mon));
    mon.Await(1, AIOX_FD_READ);

    Silence(a.get());

    EXPECT_LT(RoundsUntilSilent(&mon, 100), 100);
}

TEST_P(Outside, ItShowsAConditionAsLongAsThatHolds)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event(1);
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);

    for (int i = 0; i < 20; i++) {
        ASSERT_NO_FATAL_FAILURE(Wait(&mon));
        mon.Await(1, AIOX_FD_READ);
    }
}

TEST_P(Outside, ItIsSilentOnWhatIsNotWatchedAnyMore)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event(1);
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);
    ASSERT_NO_FATAL_FAILURE(Wait(&mon));

    ASSERT_EQ(mon.Stop(a.get()), 0);

    EXPECT_LT(RoundsUntilSilent(&mon, 100), 100);
}

/* The file lives on in a duplicate, and is ready. */
TEST_P(Outside, ADescriptorClosedTooEarlyDoesNotKeepItReadable)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event();
    Fd alive(dup(a.get()));
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);
    EXPECT_LT(RoundsUntilSilent(&mon, 100), 100);

    mon.Forget(a.get());
    a.reset();
    Ring(alive.get());

    EXPECT_LT(RoundsUntilSilent(&mon, 2000), 2000);
}

/* Neither does one whose number means another file now. */
TEST_P(Outside, AFileThatWasReplacedDoesNotKeepItReadable)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event();
    Fd alive(dup(a.get()));
    Fd other = Event();
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);
    EXPECT_LT(RoundsUntilSilent(&mon, 100), 100);

    ASSERT_EQ(dup2(other.get(), a.get()), a.get());
    mon.Forget(a.get());
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 2), 0);
    Ring(alive.get());
    EXPECT_LT(RoundsUntilSilent(&mon, 2000), 2000);
    Ring(other.get());

    ASSERT_NO_FATAL_FAILURE(Wait(&mon));
    mon.Await(2, AIOX_FD_READ);
}

TEST_P(Outside, AChildHasADescriptorOfItsOwn)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event();
    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);
    EXPECT_LT(RoundsUntilSilent(&mon, 100), 100);

    EXPECT_EQ(InChild([&] {
                  if (mon.ops().after_fork) {
                      mon.ops().after_fork(mon.get());
                  }
                  mon.Stop(a.get());
                  return RoundsUntilSilent(&mon, 100) < 100 ? 0 : 1;
              }),
              0);

    Ring(a.get());
    ASSERT_NO_FATAL_FAILURE(Wait(&mon));
    mon.Await(1, AIOX_FD_READ);
}

INSTANTIATE_TEST_SUITE_P(Backends, Outside,
                         ::testing::ValuesIn(BackendsThatCan(AIOX_FDMON_CAP_POLLFD)), NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Outside);

/* A file that no epoll(7) set takes is always ready, and said to be. */
TEST_P(FdmonContract, ARegularFileIsShownOutsideToo)
{
    if (!Has(AIOX_FDMON_CAP_POLLFD) || !Has(AIOX_FDMON_CAP_REGULAR)) {
        GTEST_SKIP();
    }
    host_.SetHosted();
    Monitor mon(plugin(), &host_);
    char name[] = "/tmp/aiox-contract-XXXXXX";
    Fd file(mkstemp(name));
    ASSERT_GE(file.get(), 0);
    unlink(name);
    ASSERT_EQ(mon.Watch(file.get(), AIOX_FD_READ, 1), 0);

    uint32_t number = 0;
    bool ready = false;
    int fd = mon.pollfd()->prepare(mon.get(), &number, &ready);
    pollfd p = {fd, POLLIN, 0};
    bool pending = mon.ops().pending && mon.ops().pending(mon.get());

    ASSERT_GE(fd, 0);
    EXPECT_TRUE(ready || pending || poll(&p, 1, 0) == 1);
    mon.Await(1, AIOX_FD_READ);
}

} // namespace
} // namespace contract
