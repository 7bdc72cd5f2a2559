/* SPDX-License-Identifier: MIT */
/*
 * wait_sched_test.cc - queues, locks with a line, and calls under every schedule.
 *
 * Each coroutine is alone in its thread (fake_co.h). What is lost leaves one
 * waiting for ever, which fails the run; so does a wake too many, a race on
 * what a lock guards, and a look into memory that was freed.
 */
#include <cerrno>
#include <cstdlib>

#include <gtest/gtest.h>

#include "lib/coroutine/test/fake_co.h"

namespace
{
using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Schedule;
using co_testing::CheckAtRest;
using co_testing::FakeCo;
using co_testing::NameAll;

using WaitSchedule = co_testing::SyncSchedule;

/* ---- the call ---- */

/* The record of the call is freed once, by whoever is the last; nothing is cleaned up twice. */
TEST_P(WaitSchedule, CallEndsOnceForBothSides)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(4), [](Schedule &s) {
        struct Job {
            int text = 0;
            int cleaned = 0;
            static void Run(void *opaque)
            {
                auto *job = static_cast<Job *>(opaque);
                AIOX_PLAIN_WRITE(&job->text);
                job->text = 1;
            }
            static void Late(void *opaque)
            {
                static_cast<Job *>(opaque)->cleaned++;
            }
            int Call() AIOX_NO_THREAD_SAFETY_ANALYSIS
            {
                return aiox_co_run_until(&Run, this, &Late, 1);
            }
        } job;
        FakeCo caller("caller"), callee("callee");
        int err = 1;
        callee.LiveAsCallee(s);
        caller.Live(s, [&] {
            err = job.Call();
            if (err == 0) {
                AIOX_PLAIN_READ(&job.text);
                SCHEDULE_CHECK(job.text == 1);
            }
        });
        s.Thread("clock", [&] { caller.Strike(); });
        s.Run();

        SCHEDULE_CHECK(job.cleaned == (err == -ETIMEDOUT));
    }));
}

/* ---- the queue ---- */

void Produce(aiox_co_mutex *m, aiox_co_queue *q, int *items) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_mutex_lock(m);
    AIOX_PLAIN_WRITE(items);
    ++*items;
    aiox_co_queue_next(q);
    aiox_co_mutex_unlock(m);
}

/* Returns whether it got one before its deadline. */
bool Consume(aiox_co_mutex *m, aiox_co_queue *q, int *items,
             int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    int err = 0;
    aiox_co_mutex_lock(m);
    AIOX_PLAIN_WRITE(items);
    while (*items == 0 && err == 0) {
        err = aiox_co_queue_wait_until(q, m, deadline_ns);
        AIOX_PLAIN_WRITE(items);
    }
    bool got = *items > 0;
    *items -= got;
    aiox_co_mutex_unlock(m);
    return got;
}

/* One wake, and one who is leaving: the other gets it. */
TEST_P(WaitSchedule, QueueLosesNoWakeOnOneWhoLeaves)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        aiox_co_mutex m = {};
        aiox_co_queue q = {};
        int items = 0;
        FakeCo a("a"), b("b"), p("producer");
        NameAll(s, m);
        int impatient = 0;
        for (FakeCo *co : {&a, &b, &p}) {
            co->ShareHomeWith(a);
        }
        a.Live(s, [&] { impatient = Consume(&m, &q, &items, 1); });
        b.Live(s, [&] { SCHEDULE_CHECK(Consume(&m, &q, &items, -1)); });
        p.Live(s, [&] {
            Produce(&m, &q, &items);
            Produce(&m, &q, &items);
        });
        s.Thread("clock", [&] { a.Strike(); });
        s.Run();

        SCHEDULE_CHECK(items == 1 - impatient);
        SCHEDULE_CHECK(aiox_co_queue_is_empty(&q));
        CheckAtRest(&m);
    }));
}

/* ---- readers and writers ---- */

struct Hall {
    aiox_co_rwlock lock = {};
    int text = 0;

    void Read() AIOX_NO_THREAD_SAFETY_ANALYSIS
    {
        aiox_co_rwlock_rdlock(&lock);
        AIOX_PLAIN_READ(&text);
        aiox_co_rwlock_unlock(&lock);
    }
    bool WriteInTime(int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
    {
        if (aiox_co_rwlock_wrlock_until(&lock, deadline_ns) < 0) {
            return false;
        }
        AIOX_PLAIN_WRITE(&text);
        text++;
        aiox_co_rwlock_unlock(&lock);
        return true;
    }
    /* Reads, then writes if nobody else has, then reads. */
    void Improve() AIOX_NO_THREAD_SAFETY_ANALYSIS
    {
        aiox_co_rwlock_rdlock(&lock);
        AIOX_PLAIN_READ(&text);
        int seen = text;
        bool in_place = aiox_co_rwlock_upgrade(&lock);
        AIOX_PLAIN_WRITE(&text);
        SCHEDULE_CHECK(!in_place || text == seen);
        text++;
        aiox_co_rwlock_downgrade(&lock);
        AIOX_PLAIN_READ(&text);
        aiox_co_rwlock_unlock(&lock);
    }
    void CheckEmpty()
    {
        SCHEDULE_CHECK(lock.owners_ == 0);
        SCHEDULE_CHECK(!lock.line_.tickets_.head_.next_ ||
                       aiox_list_is_empty(&lock.line_.tickets_));
        SCHEDULE_CHECK(lock.line_.latch_.v_ == 0);
    }
};

TEST_P(WaitSchedule, RwlockOfAWriterWhoMayLeaveAndReaders)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Hall hall;
        FakeCo a("a"), b("b"), w("writer");
        int written = 0;
        s.Name(&hall.lock.line_.latch_, "latch");
        for (FakeCo *co : {&a, &b}) {
            co->ShareHomeWith(w);
            co->Live(s, [&] { hall.Read(); });
        }
        w.Live(s, [&] { written = hall.WriteInTime(1); });
        s.Thread("clock", [&] { w.Strike(); });
        s.Run();

        SCHEDULE_CHECK(hall.text == written);
        hall.CheckEmpty();
    }));
}

/* The reader who holds the lock waits for the one behind the writer who leaves. */
TEST_P(WaitSchedule, RwlockThatAWriterLeavesLetsTheReadersIn)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        struct First {
            static void Of(Hall *hall, Event *is_held,
                           Event *has_read) AIOX_NO_THREAD_SAFETY_ANALYSIS
            {
                aiox_co_rwlock_rdlock(&hall->lock);
                is_held->Set();
                has_read->Wait();
                aiox_co_rwlock_unlock(&hall->lock);
            }
        };
        Hall hall;
        Event is_held, has_read;
        FakeCo a("a"), b("b"), w("writer");
        a.Live(s, [&] { First::Of(&hall, &is_held, &has_read); });
        w.Strike();
        w.Live(s, [&] {
            is_held.Wait();
            hall.WriteInTime(1);
        });
        b.Live(s, [&] {
            hall.Read();
            has_read.Set();
        });
        s.Run();

        hall.CheckEmpty();
    }));
}

TEST_P(WaitSchedule, RwlockOfTwoThatUpgradeAndDowngrade)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Hall hall;
        FakeCo a("a"), b("b");
        s.Name(&hall.lock.line_.latch_, "latch");
        for (FakeCo *co : {&a, &b}) {
            co->ShareHomeWith(a);
            co->Live(s, [&] { hall.Improve(); });
        }
        s.Run();

        SCHEDULE_CHECK(hall.text == 2);
        hall.CheckEmpty();
    }));
}

/* ---- the shared resource ---- */

TEST_P(WaitSchedule, ResourceWhoseFirstInLineMayLeave)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        struct Use {
            static void Of(aiox_co_shared_resource *r, uint64_t n,
                           int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
            {
                if (aiox_co_shared_resource_get_until(r, n, deadline_ns) == 0) {
                    aiox_co_shared_resource_put(r, n);
                }
            }
        };
        aiox_co_shared_resource r;
        aiox_co_shared_resource_init(&r, 2);
        FakeCo a("a"), b("b"), large("large");
        for (FakeCo *co : {&a, &b}) {
            co->ShareHomeWith(large);
            co->Live(s, [&] { Use::Of(&r, 1, -1); });
        }
        large.Live(s, [&] { Use::Of(&r, 2, 1); });
        s.Thread("clock", [&] { large.Strike(); });
        s.Run();

        aiox_co_shared_resource_fini(&r);
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, WaitSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);
} // namespace
