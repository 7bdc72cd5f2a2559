/* SPDX-License-Identifier: MIT */
/*
 * lock_torture.cc - locks between three loops, for long.
 *
 * A storm goes on until AIOX_TORTURE_SECONDS are over (1 unless set) and it has
 * reached what it is for as often as its minimum says: a lock that is handed
 * over, by a holder in another thread, after the holder has moved, to one whose
 * deadline is near. Whatever is lost makes it hang, and the watchdog tells where.
 */
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "aiox/co_sync.h"
#include "lib/aio_co/test/loop.h"
#include "lib/coroutine/test/sync.h"

namespace
{
using namespace co_testing;

constexpr int kLoops = 3;

int64_t Now()
{
    return aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC);
}

/* What was reached, and when that is enough. */
class Score
{
  public:
    struct Goal {
        const char *what;
        long at_least;
        std::atomic<long> count{0};
    };

    void Reach(Goal *goal)
    {
        goal->count.fetch_add(1, std::memory_order_relaxed);
    }
    bool IsOver() const
    {
        for (const Goal *goal : {&hand_overs, &foreign, &moves, &late}) {
            if (goal->count.load(std::memory_order_relaxed) < goal->at_least) {
                return false;
            }
        }
        return Now() >= end_;
    }
    void Expect() const
    {
        for (const Goal *goal : {&hand_overs, &foreign, &moves, &late}) {
            EXPECT_GE(goal->count.load(), goal->at_least) << goal->what;
        }
    }

    Goal hand_overs{"waits that ended with the lock", 500};
    Goal foreign{"of them, ended by another thread", 100};
    Goal moves{"moves to another loop with the lock held", 0};
    Goal late{"waits that ended at their deadline", 0};

  private:
    int64_t end_ =
        Now() +
        (std::getenv("AIOX_TORTURE_SECONDS") ? std::atoi(std::getenv("AIOX_TORTURE_SECONDS")) : 1) *
            AIOX_NS_PER_S;
};

class LockTorture : public ::testing::Test
{
  protected:
    /* Runs @count coroutines in turn in the loops, until all have ended. */
    void Storm(int count, const std::function<void(int)> &body)
    {
        std::atomic<int> left{count};
        for (int i = 0; i < count; i++) {
            aiox_co_enter_in(loops_[i % kLoops], Spawn([&, i] {
                                 body(i);
                                 left.fetch_sub(1, std::memory_order_release);
                             }));
        }
        while (left.load(std::memory_order_acquire) > 0) {
            std::this_thread::yield();
        }
    }

    int Here() const
    {
        for (int i = 0; i < kLoops; i++) {
            if (aiox_co_context(aiox_co_self()) == loops_[i]) {
                return i;
            }
        }
        return -1;
    }
    /*
     * Notes a wait as such if another coroutine has run here meanwhile; @holder is
     * the loop of whoever had the lock before.
     */
    void Note(Score *score, int me, int holder)
    {
        int here = Here();
        if (last_[here].who != me) {
            score->Reach(&score->hand_overs);
            if (holder != here) {
                score->Reach(&score->foreign);
            }
        }
    }
    void Mark(int me)
    {
        last_[Here()].who = me;
    }
    /* Others of the loop get their turn. */
    void Pause()
    {
        EXPECT_EQ(SleepNs(AIOX_CLOCK_MONOTONIC, -1), 0);
    }

    struct alignas(AIOX_CACHE_LINE) Last {
        int who = -1;
    };

    Score score_;
    std::array<LoopThread, kLoops> loops_;
    std::array<Last, kLoops> last_; /* each is its loop's */
};

/* Some wait for ever, some not; some move while they hold it. */
TEST_F(LockTorture, AMutexBetweenLoops)
{
    constexpr int kMany = 24;
    score_.moves.at_least = 100;
    score_.late.at_least = 20;
    aiox_co_mutex mutex = {};
    long visits = 0; /* guarded by it, as is holder */
    int holder = 0;
    std::atomic<long> all{0};

    Storm(kMany, [&](int me) {
        for (long n = 0; !score_.IsOver(); n++) {
            Mark(me);
            int err = LockUntil(&mutex, me % 3 ? -1 : Now() + 20000);
            if (err < 0) {
                EXPECT_EQ(err, -ETIMEDOUT);
                score_.Reach(&score_.late);
                continue;
            }
            Note(&score_, me, holder);
            visits++;
            if (n % 4 == 0) {
                MoveSelf(loops_[(Here() + 1) % kLoops]);
                score_.Reach(&score_.moves);
            } else if (n % 4 == 1) {
                Pause();
            }
            holder = Here();
            Unlock(&mutex);
            all.fetch_add(1, std::memory_order_relaxed);
        }
    });

    EXPECT_EQ(visits, all.load());
    score_.Expect();
    aiox_co_mutex_fini(&mutex);
}

/* A bounded store; whoever waits for a place or for a thing may give up. */
TEST_F(LockTorture, AQueueBetweenLoops)
{
    constexpr int kMany = 24, kPlaces = 3;
    score_.late.at_least = 20;
    aiox_co_mutex mutex = {};
    aiox_co_queue not_full = {}, not_empty = {};
    int things = 0, holder = 0;
    long made = 0, used = 0;
    std::atomic<int> makers{kMany / 2};

    Storm(kMany, [&](int me) {
        bool makes = me % 2 == 0;
        for (bool goes_on = true; goes_on;) {
            int err = 0;
            Lock(&mutex);
            while (err == 0 && (makes ? things == kPlaces : things == 0 && makers > 0)) {
                Mark(me);
                err =
                    WaitUntil(makes ? &not_full : &not_empty, &mutex, me % 3 ? -1 : Now() + 20000);
                if (err == 0) {
                    Note(&score_, me, holder);
                } else {
                    score_.Reach(&score_.late);
                }
            }
            holder = Here();
            goes_on = makes ? !score_.IsOver() : makers > 0 || things > 0;
            if (err == 0 && makes) {
                things++;
                made++;
                aiox_co_queue_next(&not_empty);
            } else if (err == 0 && things > 0) {
                things--;
                used++;
                aiox_co_queue_next(&not_full);
            }
            if (makes && !goes_on && --makers == 0) {
                aiox_co_queue_restart_all(&not_empty);
            }
            bool pauses = err == 0 && made % 8 == 0;
            Unlock(&mutex);
            if (pauses) {
                Pause();
            }
        }
    });

    EXPECT_EQ(things, 0);
    EXPECT_EQ(made, used);
    EXPECT_TRUE(aiox_co_queue_is_empty(&not_full) && aiox_co_queue_is_empty(&not_empty));
    score_.Expect();
}

/* Readers see what the last writer wrote, whole; upgrades in place saw it unchanged. */
TEST_F(LockTorture, ReadersAndWritersBetweenLoops)
{
    constexpr int kMany = 24;
    score_.late.at_least = 20;
    score_.moves.at_least = 50;
    aiox_co_rwlock lock = {};
    long text[2] = {}; /* equal, but for a writer */
    int holder = 0;
    std::atomic<long> written{0};

    auto write = [&](int me) {
        EXPECT_EQ(text[0], text[1]);
        text[0]++;
        if (me % 5 == 0) {
            MoveSelf(loops_[(Here() + 1) % kLoops]);
            score_.Reach(&score_.moves);
        } else {
            Pause();
        }
        text[1]++;
        holder = Here();
        written.fetch_add(1, std::memory_order_relaxed);
    };
    Storm(kMany, [&](int me) {
        for (long n = 0; !score_.IsOver(); n++) {
            int64_t deadline_ns = n % 3 ? -1 : Now() + 20000;
            bool writes = (n + me) % 4 == 0;
            Mark(me);
            int err = writes ? WrLockUntil(&lock, deadline_ns) : RdLockUntil(&lock, deadline_ns);
            if (err < 0) {
                score_.Reach(&score_.late);
                continue;
            }
            Note(&score_, me, holder);
            EXPECT_EQ(text[0], text[1]);
            if (writes) {
                write(me);
                if (n % 2 == 0) {
                    Downgrade(&lock);
                    EXPECT_EQ(text[0], text[1]);
                }
            } else if ((n + me) % 4 == 1) {
                long seen = text[0];
                if (Upgrade(&lock)) {
                    EXPECT_EQ(text[0], seen);
                }
                write(me);
            } else {
                Pause();
                EXPECT_EQ(text[0], text[1]);
            }
            RwUnlock(&lock);
        }
    });

    EXPECT_EQ(text[0], written.load());
    EXPECT_EQ(text[1], written.load());
    score_.Expect();
    aiox_co_rwlock_fini(&lock);
}

TEST_F(LockTorture, AResourceBetweenLoops)
{
    constexpr int kMany = 24, kTotal = 16;
    score_.late.at_least = 20;
    aiox_co_shared_resource resource;
    aiox_co_shared_resource_init(&resource, kTotal);
    std::atomic<int> taken{0}, holder{0};

    Storm(kMany, [&](int me) {
        for (int n = me; !score_.IsOver(); n++) {
            int wants = n % (kTotal + 1);
            Mark(me);
            if (GetUntil(&resource, wants, n % 3 ? -1 : Now() + 20000) < 0) {
                score_.Reach(&score_.late);
                continue;
            }
            Note(&score_, me, holder);
            EXPECT_LE(taken += wants, kTotal);
            Pause();
            taken -= wants;
            holder = Here();
            aiox_co_shared_resource_put(&resource, wants);
        }
    });

    score_.Expect();
    aiox_co_shared_resource_fini(&resource);
}
} // namespace
