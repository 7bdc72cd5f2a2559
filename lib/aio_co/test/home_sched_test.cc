/* SPDX-License-Identifier: MIT */
/*
 * home_sched_test.cc - who is sent to a home arrives, in every schedule.
 *
 * The threads of a schedule share one thread of the system, and with it the
 * notion of "the running coroutine"; so only one of them, the home, runs any.
 */
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_co/src/home.h"
#include "test/harness/schedule.h"

namespace
{
using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

/* A home whose thread sleeps when it may. */
class Home
{
  public:
    Home()
    {
        aiox_bh_queue_init(
            &queue_, [](void *self) { static_cast<Home *>(self)->woken_.Set(); }, this);
        SCHEDULE_CHECK(home_init_(&home_, &queue_) == 0);
        woken_ = Event();
    }

    void LiveIn(Schedule &s)
    {
        s.Name(&home_.newest, "inbox");
        s.Daemon("home", [this] { TurnUntil([] { return false; }); });
    }

    void Send(aiox_co *co)
    {
        home_send_(&home_, co);
    }

    /* Turns, and sleeps when it may, as often as it takes. */
    void TurnUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            if (aiox_bh_queue_timeout_ns(&queue_) != 0) {
                woken_.Wait();
            }
            aiox_bh_queue_run(&queue_);
        }
    }

    /* After the run. */
    void End()
    {
        home_fini_(&home_);
        aiox_bh_queue_run(&queue_);
        aiox_bh_queue_fini(&queue_);
    }

  private:
    co_home home_ = {};
    aiox_bh_queue queue_;
    Event woken_;
};

/* A coroutine that notes its name, and that it saw what its sender wrote. */
struct Traveller {
    std::string name;
    std::vector<std::string> *diary;
    int luggage = 0;
    Home *turns = nullptr; /* whose loop it turns until somebody else has arrived */

    static void Run(void *opaque)
    {
        auto *self = static_cast<Traveller *>(opaque);
        AIOX_PLAIN_READ(&self->luggage);
        SCHEDULE_CHECK(self->luggage == 1);
        self->diary->push_back(self->name);
        if (self->turns) {
            self->turns->TurnUntil([self] { return self->diary->size() >= 2; });
        }
    }

    /* Packs and sends it. */
    void Go(Home *home)
    {
        AIOX_PLAIN_WRITE(&luggage);
        luggage = 1;
        home->Send(co);
    }

    aiox_co *co = nullptr;
    void Make()
    {
        SCHEDULE_CHECK(aiox_co_create(&co, nullptr, &Traveller::Run, this) == 0);
    }
};

class HomeSchedule : public ::testing::TestWithParam<Mode>
{
  protected:
    ScheduleOptions Bound(int bound, int c11) const
    {
        return {GetParam() == Mode::kC11 ? c11 : bound, GetParam(), 30};
    }
};

TEST_P(HomeSchedule, EachOfTwoSendersIsHeardInItsOrder)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        std::vector<std::string> diary;
        Home home;
        Traveller a1{"a1", &diary}, a2{"a2", &diary}, b1{"b1", &diary};
        for (Traveller *t : {&a1, &a2, &b1}) {
            t->Make();
        }
        home.LiveIn(s);
        s.Thread("a", [&] {
            a1.Go(&home);
            a2.Go(&home);
        });
        s.Thread("b", [&] { b1.Go(&home); });
        s.Run();

        SCHEDULE_CHECK(diary.size() == 3);
        for (const std::string &name : diary) {
            SCHEDULE_CHECK(name != "a2" || diary[0] == "a1" || diary[1] == "a1");
        }
        home.End();
    }));
}

/* The first of two turns the loop inside; meanwhile a third is sent. */
TEST_P(HomeSchedule, WhoIsSentDuringANestedTurnArrives)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        std::vector<std::string> diary;
        Home home;
        Traveller one{"one", &diary}, two{"two", &diary}, three{"three", &diary};
        one.turns = &home;
        for (Traveller *t : {&one, &two, &three}) {
            t->Make();
        }
        one.Go(&home);
        two.Go(&home);
        home.LiveIn(s);
        s.Thread("sender", [&] { three.Go(&home); });
        s.Run();

        SCHEDULE_CHECK(diary.size() == 3);
        SCHEDULE_CHECK(diary[0] == "one" && (diary[1] == "two" || diary[2] == "two"));
        home.End();
    }));
}

/* The same coroutine, sent again by somebody else before it has yielded. */
TEST_P(HomeSchedule, TheLinkIsFreeWhenTheMarkIs)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        struct Shuttle {
            Event about_to_yield;
            int steps = 0;
            static void Run(void *opaque) AIOX_NO_THREAD_SAFETY_ANALYSIS
            {
                auto *self = static_cast<Shuttle *>(opaque);
                self->steps++;
                self->about_to_yield.Set();
                aiox_co_yield();
                self->steps++;
            }
        } shuttle;
        aiox_co *co;
        SCHEDULE_CHECK(aiox_co_create(&co, nullptr, &Shuttle::Run, &shuttle) == 0);
        Home home;
        home.LiveIn(s);
        s.Thread("first", [&] { home.Send(co); });
        s.Thread("second", [&] {
            shuttle.about_to_yield.Wait();
            home.Send(co);
        });
        s.Run();

        SCHEDULE_CHECK(shuttle.steps == 2);
        home.End();
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, HomeSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);
} // namespace
