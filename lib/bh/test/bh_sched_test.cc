/* SPDX-License-Identifier: MIT */
/*
 * bh_sched_test.cc - what aiox/bh.h promises, in every schedule.
 *
 * The home sleeps as a loop does: it takes its timeout, and unless that is 0
 * waits for the wake function. Ten milliseconds count as for ever here, so an
 * ask that is left to them is a lost wake-up. The mutants in BUILD show that
 * each of these tests can fail.
 */
#include "aiox/bh.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "test/harness/schedule.h"

namespace
{
using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

class BhSchedule : public ::testing::TestWithParam<Mode>
{
  protected:
    /* As many preemptions; @c11 of them where loads have choices, too. */
    ScheduleOptions Bound(int bound, int c11) const
    {
        return {GetParam() == Mode::kC11 ? c11 : bound, GetParam(), 60};
    }
};

/* A queue whose home sleeps when it may. */
class Home
{
  public:
    Home()
    {
        aiox_bh_queue_init(
            &queue_, [](void *self) { static_cast<Home *>(self)->woken_.Set(); }, this);
    }

    /* The thread of the home; it is left asleep. */
    void LiveIn(Schedule &s)
    {
        s.Name(&queue_.asked_, "asked_");
        s.Name(&queue_.born_, "born_");
        s.Daemon("home", [this] {
            for (;;) {
                if (aiox_bh_queue_timeout_ns(&queue_) != 0) {
                    woken_.Wait();
                }
                aiox_bh_queue_run(&queue_);
            }
        });
    }

    /* Before the run: the home is in the middle of a turn. */
    void BeUp()
    {
        SCHEDULE_CHECK(aiox_bh_queue_oneshot(
                           &queue_, "early", [](void *) {}, nullptr) == 0);
        aiox_bh_queue_run(&queue_);
        woken_ = Event();
    }

    /* Before the run: the home has seen what was asked for, and sleeps. */
    void BeAsleep()
    {
        SCHEDULE_CHECK(aiox_bh_queue_timeout_ns(&queue_) != 0);
        woken_ = Event();
    }

    /* After the run. */
    void End()
    {
        aiox_bh_queue_run(&queue_);
        aiox_bh_queue_fini(&queue_);
    }

    aiox_bh *New(const char *name, aiox_bh_fn *fn, void *opaque)
    {
        aiox_bh *bh = nullptr;
        SCHEDULE_CHECK(aiox_bh_new(&bh, &queue_, name, fn, opaque) == 0);
        return bh;
    }

    aiox_bh_queue *queue()
    {
        return &queue_;
    }

  private:
    aiox_bh_queue queue_;
    Event woken_;
};

/* Copies what the asker wrote, plain data, to where the end of the test looks. */
struct Plain {
    int written = 0;
    int seen = 0;
    int runs = 0;

    void Write(int value)
    {
        AIOX_PLAIN_WRITE(&written);
        written = value;
    }

    static void Look(void *self)
    {
        auto *plain = static_cast<Plain *>(self);
        AIOX_PLAIN_READ(&plain->written);
        plain->seen = plain->written;
        plain->runs++;
    }
};

/* The same for data that is written while the function may be running. */
struct Atomic {
    aiox_atomic_u32 written = {0};
    uint32_t seen = 0;
    int runs = 0;

    static void Look(void *self)
    {
        auto *atomic = static_cast<Atomic *>(self);
        atomic->seen = aiox_u32_load_relaxed(&atomic->written);
        atomic->runs++;
    }
};

TEST_P(BhSchedule, WhatTheAskerWroteIsVisible)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(4, 4), [](Schedule &s) {
        Home home;
        Plain plain;
        aiox_bh *bh = home.New("look", &Plain::Look, &plain);

        home.LiveIn(s);
        s.Thread("asker", [&] {
            plain.Write(1);
            aiox_bh_schedule(bh);
        });
        s.Run();

        SCHEDULE_CHECK(plain.seen == 1 && plain.runs == 1);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, NoAskIsLostOfOneThatAsksAgainAndAgain)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [](Schedule &s) {
        Home home;
        Atomic atomic;
        aiox_bh *bh = home.New("look", &Atomic::Look, &atomic);

        home.LiveIn(s);
        s.Thread("asker", [&] {
            for (uint32_t i = 1; i <= 3; i++) {
                aiox_u32_store_relaxed(&atomic.written, i);
                aiox_bh_schedule(bh);
            }
        });
        s.Run();

        SCHEDULE_CHECK(atomic.seen == 3);
        SCHEDULE_CHECK(atomic.runs >= 1 && atomic.runs <= 3);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, NoAskIsLostOfTwoWhoAskForTheSame)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Atomic atomic;
        aiox_bh *bh = home.New("look", &Atomic::Look, &atomic);

        home.LiveIn(s);
        for (const char *name : {"one", "two"}) {
            s.Thread(name, [&] {
                aiox_u32_add_relaxed(&atomic.written, 1);
                aiox_bh_schedule(bh);
            });
        }
        s.Run();

        SCHEDULE_CHECK(atomic.seen == 2);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, NoAskIsLostOfTwoWhoAskForDifferentOnes)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Plain plain[2];
        aiox_bh *bh[2];
        for (int i = 0; i < 2; i++) {
            bh[i] = home.New(i ? "second" : "first", &Plain::Look, &plain[i]);
        }

        home.LiveIn(s);
        for (int i = 0; i < 2; i++) {
            s.Thread(i ? "two" : "one", [&, i] {
                plain[i].Write(1);
                aiox_bh_schedule(bh[i]); /* one of them wakes the home */
            });
        }
        s.Run();

        for (int i = 0; i < 2; i++) {
            SCHEDULE_CHECK(plain[i].seen == 1 && plain[i].runs == 1);
            aiox_bh_free(bh[i]);
        }
        home.End();
    }));
}

TEST_P(BhSchedule, NoAskIsLostThatComesWhileTheFunctionRuns)
{
    struct Again {
        aiox_bh *bh = nullptr;
        Atomic atomic;
        int left = 1;
    };

    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [](Schedule &s) {
        Home home;
        Again again;
        again.bh = home.New(
            "again",
            [](void *opaque) {
                auto *a = static_cast<Again *>(opaque);
                Atomic::Look(&a->atomic);
                if (a->left-- > 0) {
                    aiox_bh_schedule(a->bh); /* the home is awake and wakes nobody */
                }
            },
            &again);

        home.LiveIn(s);
        s.Thread("asker", [&] {
            for (uint32_t i = 1; i <= 2; i++) {
                aiox_u32_store_relaxed(&again.atomic.written, i);
                aiox_bh_schedule(again.bh);
            }
        });
        s.Run();

        SCHEDULE_CHECK(again.atomic.seen == 2);
        SCHEDULE_CHECK(again.atomic.runs >= 2 && again.atomic.runs <= 3);
        aiox_bh_free(again.bh);
        home.End();
    }));
}

TEST_P(BhSchedule, AnAskWakesAHomeThatSleepsOnAnIdleOne)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [](Schedule &s) {
        Home home;
        Atomic atomic;
        aiox_bh *bh = home.New("look", &Atomic::Look, &atomic);

        aiox_bh_schedule_idle(bh);
        home.BeAsleep();
        home.LiveIn(s);
        s.Thread("asker", [&] {
            aiox_u32_store_relaxed(&atomic.written, 1);
            aiox_bh_schedule(bh);
        });
        s.Run();

        SCHEDULE_CHECK(atomic.seen == 1);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, AnAskWakesAHomeThatSleepsOnAnotherIdleOne)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Plain plain, idle;
        aiox_bh *bh = home.New("look", &Plain::Look, &plain);
        aiox_bh *lazy = home.New("idle", &Plain::Look, &idle);

        home.LiveIn(s);
        s.Thread("idler", [&] { aiox_bh_schedule_idle(lazy); });
        s.Thread("asker", [&] { aiox_bh_schedule(bh); });
        s.Run();

        SCHEDULE_CHECK(plain.runs == 1);
        aiox_bh_free(bh);
        aiox_bh_free(lazy);
        home.End();
    }));
}

TEST_P(BhSchedule, TwoWhoAskForAHomeInATurnAreBothServed)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Plain plain[2];
        aiox_bh *bh[2];
        for (int i = 0; i < 2; i++) {
            bh[i] = home.New(i ? "second" : "first", &Plain::Look, &plain[i]);
        }

        home.BeUp(); /* so nobody needs to wake it, unless it falls asleep */
        home.LiveIn(s);
        for (int i = 0; i < 2; i++) {
            s.Thread(i ? "two" : "one", [&, i] { aiox_bh_schedule(bh[i]); });
        }
        s.Run();

        for (int i = 0; i < 2; i++) {
            SCHEDULE_CHECK(plain[i].runs == 1);
            aiox_bh_free(bh[i]);
        }
        home.End();
    }));
}

TEST_P(BhSchedule, AnAskAfterACancelIsNotLost)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [](Schedule &s) {
        Home home;
        Atomic atomic;
        aiox_bh *bh = home.New("look", &Atomic::Look, &atomic);

        home.BeUp();
        home.LiveIn(s);
        s.Thread("asker", [&] {
            aiox_bh_schedule(bh);
            aiox_bh_cancel(bh); /* the home may go to sleep on it */
            aiox_u32_store_relaxed(&atomic.written, 1);
            aiox_bh_schedule(bh);
        });
        s.Run();

        SCHEDULE_CHECK(atomic.seen == 1);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, CancelTellsTheTruth)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(4, 4), [](Schedule &s) {
        Home home;
        Plain plain;
        bool cancelled = false;
        aiox_bh *bh = home.New("look", &Plain::Look, &plain);

        aiox_bh_schedule(bh);
        home.LiveIn(s);
        s.Thread("canceller", [&] { cancelled = aiox_bh_cancel(bh); });
        s.Run();

        SCHEDULE_CHECK(cancelled ? plain.runs == 0 : plain.runs == 1);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, FreedElsewhereWhileAskedForEndsOnce)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(4, 4), [](Schedule &s) {
        Home home;
        Plain plain;
        aiox_bh *bh = home.New("look", &Plain::Look, &plain);

        home.LiveIn(s);
        s.Thread("asker", [&] {
            aiox_bh_schedule(bh);
            aiox_bh_free(bh); /* the explorer sees any use of it from here on */
        });
        s.Run();

        SCHEDULE_CHECK(plain.runs <= 1);
        home.End(); /* nothing is alive */
    }));
}

TEST_P(BhSchedule, FreedElsewhereWhileAnotherIsAskedForLosesNothing)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Plain plain, never;
        aiox_bh *bh = home.New("look", &Plain::Look, &plain);
        aiox_bh *freed = home.New("freed", &Plain::Look, &never);

        home.LiveIn(s);
        s.Thread("owner", [&] { aiox_bh_free(freed); });
        s.Thread("asker", [&] { aiox_bh_schedule(bh); });
        s.Run();

        SCHEDULE_CHECK(plain.runs == 1 && never.runs == 0);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, OneThreadsAsksRunInItsOrder)
{
    struct Numbered {
        std::string *order;
        char name;
    };

    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1), [](Schedule &s) {
        Home home;
        std::string order;
        Numbered numbered[] = {{&order, 'a'}, {&order, 'b'}, {&order, 'x'}};
        aiox_bh *bh[3];
        for (int i = 0; i < 3; i++) {
            bh[i] = home.New(
                "numbered",
                [](void *opaque) {
                    auto *n = static_cast<Numbered *>(opaque);
                    n->order->push_back(n->name);
                },
                &numbered[i]);
        }

        home.LiveIn(s);
        s.Thread("asker", [&] {
            aiox_bh_schedule(bh[0]);
            aiox_bh_schedule(bh[1]);
        });
        s.Thread("another", [&] { aiox_bh_schedule(bh[2]); });
        s.Run();

        SCHEDULE_CHECK(order.size() == 3 && order.find('a') < order.find('b'));
        for (aiox_bh *one : bh) {
            aiox_bh_free(one);
        }
        home.End();
    }));
}

TEST_P(BhSchedule, BornAndFreedInManyThreadsAllAreMet)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1), [](Schedule &s) {
        Home home;
        Plain plain[2];

        home.LiveIn(s);
        for (int i = 0; i < 2; i++) {
            s.Thread(i ? "two" : "one", [&, i] {
                aiox_bh *bh = home.New("short life", &Plain::Look, &plain[i]);
                aiox_bh_free(bh);
            });
        }
        s.Run();

        SCHEDULE_CHECK(plain[0].runs == 0 && plain[1].runs == 0);
        home.End();
    }));
}

TEST_P(BhSchedule, AOneshotRunsOnce)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(4, 4), [](Schedule &s) {
        Home home;
        Plain plain;

        home.LiveIn(s);
        s.Thread("asker", [&] {
            plain.Write(1);
            SCHEDULE_CHECK(aiox_bh_queue_oneshot(home.queue(), "once", &Plain::Look, &plain) == 0);
        });
        s.Run();

        SCHEDULE_CHECK(plain.seen == 1 && plain.runs == 1);
        home.End();
    }));
}

/* ---- what the home asks for in a turn ---- */

/* A turn of the home: asks for @bh, tells @asked, and runs. */
void AskInATurn(Home *home, aiox_bh *bh, Event *asked = nullptr)
{
    aiox_bh_queue *outer = aiox_bh_queue_begin(home->queue());

    aiox_bh_schedule(bh);
    if (asked) {
        asked->Set();
    }
    aiox_bh_queue_run(home->queue());
    aiox_bh_queue_end(outer);
}

/* Whether the asks of both count as one: asked for in a turn, elsewhere, and then taken back. */
TEST_P(BhSchedule, CancelTellsTheTruthOfWhatWasAskedForInATurn)
{
    for (bool elsewhere_too : {false, true}) {
        EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(4, 3), [&](Schedule &s) {
            Home home;
            Plain plain;
            Event asked;
            bool cancelled = false;
            aiox_bh *bh = home.New("look", &Plain::Look, &plain);

            home.BeUp();
            if (elsewhere_too) {
                aiox_bh_schedule(bh);
            }
            s.Thread("home", [&] { AskInATurn(&home, bh, &asked); });
            s.Thread("canceller", [&] {
                asked.Wait();
                cancelled = aiox_bh_cancel(bh);
            });
            s.Run();

            SCHEDULE_CHECK(plain.runs == (cancelled ? 0 : 1));
            aiox_bh_free(bh);
            home.End();
            SCHEDULE_CHECK(plain.runs == (cancelled ? 0 : 1));
        }));
    }
}

/* Taken back, it is on a list still; asked for again in the same turn, it runs. */
TEST_P(BhSchedule, AnAskInATurnAfterACancelIsNotLost)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Plain plain;
        int cancelled[2] = {};
        aiox_bh *bh = home.New("look", &Plain::Look, &plain);

        home.BeUp();
        s.Thread("home", [&] {
            aiox_bh_queue *outer = aiox_bh_queue_begin(home.queue());
            aiox_bh_schedule(bh);
            cancelled[0] = aiox_bh_cancel(bh);
            aiox_bh_queue_end(outer);
            AskInATurn(&home, bh);
        });
        s.Thread("canceller", [&] { cancelled[1] = aiox_bh_cancel(bh); });
        s.Run();

        SCHEDULE_CHECK(cancelled[0] + cancelled[1] + plain.runs == 2);
        aiox_bh_free(bh);
        home.End();
    }));
}

/* Of two who take the same back, one hears that it did. */
TEST_P(BhSchedule, TwoWhoCancelWhatWasAskedForInATurnAreNotBothTold)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Plain plain;
        int cancelled[2] = {};
        aiox_bh *bh = home.New("look", &Plain::Look, &plain);

        home.BeUp();
        s.Thread("home", [&] { AskInATurn(&home, bh); });
        for (int i = 0; i < 2; i++) {
            s.Thread(i ? "two" : "one", [&, i] { cancelled[i] = aiox_bh_cancel(bh); });
        }
        s.Run();

        SCHEDULE_CHECK(cancelled[0] + cancelled[1] + plain.runs == 1);
        aiox_bh_free(bh);
        home.End();
    }));
}

/* Who takes an ask back has what it was for: it sees what was written before the ask. */
TEST_P(BhSchedule, WhoCancelsSeesWhatTheAskerWrote)
{
    for (bool in_turn : {false, true}) {
        EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [&](Schedule &s) {
            Home home;
            Plain plain;
            aiox_bh *bh = home.New("look", &Plain::Look, &plain);

            home.BeUp();
            s.Thread("asker", [&] {
                aiox_bh_queue *outer = nullptr;
                plain.Write(1);
                if (in_turn) {
                    outer = aiox_bh_queue_begin(home.queue());
                }
                aiox_bh_schedule(bh);
                if (in_turn) {
                    aiox_bh_queue_end(outer);
                }
            });
            s.Thread("canceller", [&] {
                if (aiox_bh_cancel(bh)) {
                    Plain::Look(&plain);
                }
            });
            s.Run();

            SCHEDULE_CHECK(plain.seen == plain.runs);
            aiox_bh_free(bh);
            home.End();
        }));
    }
}

/* The home finds that its ask was taken back, and what the canceller had written before. */
TEST_P(BhSchedule, WhatTheCancellerWroteIsVisibleOnceItsCancelIs)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [](Schedule &s) {
        Home home;
        Plain plain;
        Atomic ran;
        aiox_bh *bh = home.New("look", &Atomic::Look, &ran);

        home.BeUp();
        s.Thread("home", [&] {
            AskInATurn(&home, bh);
            if (ran.runs == 0) {
                Plain::Look(&plain);
            }
        });
        s.Thread("canceller", [&] {
            plain.Write(1);
            aiox_bh_cancel(bh);
        });
        s.Run();

        SCHEDULE_CHECK(plain.seen == plain.runs && plain.runs + ran.runs == 1);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, NoAskIsLostOfTheHomeInATurnAndAnother)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Home home;
        Atomic atomic;
        aiox_bh *bh = home.New("look", &Atomic::Look, &atomic);

        home.BeUp();
        s.Thread("home", [&] {
            aiox_u32_add_relaxed(&atomic.written, 1);
            AskInATurn(&home, bh);
            while (aiox_bh_queue_timeout_ns(home.queue()) == 0) {
                aiox_bh_queue_run(home.queue());
            }
        });
        s.Thread("asker", [&] {
            aiox_u32_add_relaxed(&atomic.written, 1);
            aiox_bh_schedule(bh);
        });
        s.Run();
        aiox_bh_queue_run(home.queue()); /* it was woken, or was not asleep */

        SCHEDULE_CHECK(atomic.seen == 2 && atomic.runs <= 2);
        aiox_bh_free(bh);
        home.End();
    }));
}

TEST_P(BhSchedule, FreedElsewhereWhileAskedForInATurnEndsOnce)
{
    for (bool elsewhere_too : {false, true}) {
        EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [&](Schedule &s) {
            Home home;
            Plain plain;
            Event asked;
            aiox_bh *bh = home.New("look", &Plain::Look, &plain);

            home.BeUp();
            if (elsewhere_too) {
                aiox_bh_schedule(bh);
            }
            s.Thread("home", [&] {
                AskInATurn(&home, bh, &asked);
                aiox_bh_queue_run(home.queue());
            });
            s.Thread("owner", [&] {
                asked.Wait();
                aiox_bh_free(bh); /* the explorer sees any use of it from here on */
            });
            s.Run();

            SCHEDULE_CHECK(plain.runs <= 1);
            home.End(); /* nothing is alive */
        }));
    }
}

/* First from between the turns, then from within, while another thread asks, too. */
TEST_P(BhSchedule, TheHomesAsksRunInItsOrder)
{
    struct Numbered {
        std::string *order;
        char name;
    };

    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 2), [](Schedule &s) {
        Home home;
        std::string order;
        Numbered numbered[] = {{&order, 'a'}, {&order, 'b'}, {&order, 'c'}, {&order, 'x'}};
        aiox_bh *bh[4];
        for (int i = 0; i < 4; i++) {
            bh[i] = home.New(
                "numbered",
                [](void *opaque) {
                    auto *n = static_cast<Numbered *>(opaque);
                    *n->order += n->name;
                },
                &numbered[i]);
        }

        home.BeUp();
        s.Thread("home", [&] {
            aiox_bh_queue *outer = aiox_bh_queue_begin(home.queue());
            aiox_bh_schedule(bh[0]);
            aiox_bh_queue_end(outer);
            aiox_bh_schedule(bh[1]);
            AskInATurn(&home, bh[2]);
        });
        s.Thread("another", [&] { aiox_bh_schedule(bh[3]); });
        s.Run();
        aiox_bh_queue_run(home.queue());

        order.erase(std::remove(order.begin(), order.end(), 'x'), order.end());
        SCHEDULE_CHECK(order == "abc");
        for (aiox_bh *one : bh) {
            aiox_bh_free(one);
        }
        home.End();
    }));
}

/* Its own idle one lets it sleep; another's ask wakes it. */
TEST_P(BhSchedule, AnAskWakesAHomeThatSleepsOnAnIdleOneOfItsOwn)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3), [](Schedule &s) {
        Home home;
        Atomic atomic;
        aiox_bh *bh = home.New("look", &Atomic::Look, &atomic);

        aiox_bh_queue *outer = aiox_bh_queue_begin(home.queue());
        aiox_bh_schedule_idle(bh);
        aiox_bh_queue_end(outer);
        home.BeAsleep();
        home.LiveIn(s);
        s.Thread("asker", [&] {
            aiox_u32_store_relaxed(&atomic.written, 1);
            aiox_bh_schedule(bh);
        });
        s.Run();

        SCHEDULE_CHECK(atomic.seen == 1 && atomic.runs == 1);
        aiox_bh_free(bh);
        home.End();
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, BhSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);

} // namespace
