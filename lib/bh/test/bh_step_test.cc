/* SPDX-License-Identifier: MIT */
/*
 * bh_step_test.cc - a signal handler at each step of the home, one after the other.
 *
 * bh_signal_test.cc lets a timer strike where it likes. Here the seam of
 * aiox/atomic.h counts: each atomic access and each marked access of plain data
 * is a step, and in front of the step whose turn it is a handler is called. A
 * scene is played once for each of its steps, so no window is left out.
 */
#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/bh.h"

namespace
{
/* Calls a handler in front of one step; the handler's own steps do not count. */
class Stepper
{
  public:
    /* Plays @scene with @handler in front of step @at; false if it has not so many. */
    bool Play(int at, const std::function<void()> &scene, std::function<void()> handler)
    {
        left_ = at;
        handler_ = std::move(handler);
        is_playing_ = true;
        scene();
        is_playing_ = false;
        return left_ < 0;
    }

    void Step()
    {
        if (is_playing_ && left_-- == 0) {
            is_playing_ = false;
            handler_();
            is_playing_ = true;
        }
    }

  private:
    bool is_playing_ = false;
    int left_ = 0;
    std::function<void()> handler_;
};

Stepper stepper;
void *own;

template <typename Word> Word *At(const void *where)
{
    return static_cast<Word *>(const_cast<void *>(where));
}

template <typename Word> uint64_t Change(void *where, aiox_sched_op_ op, uint64_t value)
{
    Word old = *At<Word>(where);
    switch (op) {
    case AIOX_SCHED_SWAP_:
        *At<Word>(where) = static_cast<Word>(value);
        break;
    case AIOX_SCHED_OR_:
        *At<Word>(where) = static_cast<Word>(old | value);
        break;
    case AIOX_SCHED_AND_:
        *At<Word>(where) = static_cast<Word>(old & value);
        break;
    default:
        *At<Word>(where) = static_cast<Word>(old + value);
        break;
    }
    return old;
}
} // namespace

uint64_t aiox_sched_load_(const void *where, unsigned size, int)
{
    stepper.Step();
    return size == 4 ? *At<uint32_t>(where) : *At<uint64_t>(where);
}

void aiox_sched_store_(void *where, unsigned size, uint64_t value, int)
{
    aiox_sched_rmw_(where, size, AIOX_SCHED_SWAP_, value, 0);
}

uint64_t aiox_sched_rmw_(void *where, unsigned size, aiox_sched_op_ op, uint64_t value, int)
{
    stepper.Step();
    return size == 4 ? Change<uint32_t>(where, op, value) : Change<uint64_t>(where, op, value);
}

bool aiox_sched_cas_(void *where, unsigned size, uint64_t *expected, uint64_t desired, int)
{
    stepper.Step();
    uint64_t was = size == 4 ? *At<uint32_t>(where) : *At<uint64_t>(where);
    bool is_equal = was == *expected;
    if (is_equal) {
        size == 4 ? Change<uint32_t>(where, AIOX_SCHED_SWAP_, desired)
                  : Change<uint64_t>(where, AIOX_SCHED_SWAP_, desired);
    }
    *expected = was;
    return is_equal;
}

void aiox_sched_plain_(const void *, bool, const char *)
{
    stepper.Step();
}

void **aiox_sched_own_(void)
{
    stepper.Step();
    return &own;
}

namespace
{
/* A queue, BHs that note that they ran, and what each step of a scene must leave. */
class BhStep : public ::testing::Test
{
  protected:
    struct Noted {
        aiox_bh *bh;
        BhStep *test;
        char name;
        std::function<void()> more;
    };

    /* A home that is @awake has run something. */
    void Open(bool awake)
    {
        aiox_bh_queue_init(
            &queue_, [](void *self) { static_cast<BhStep *>(self)->wakes_++; }, this);
        if (awake) {
            EXPECT_EQ(aiox_bh_queue_oneshot(
                          &queue_, "first", [](void *) {}, nullptr),
                      0);
            aiox_bh_queue_run(&queue_);
        }
        ran_.clear();
        wakes_ = 0;
    }

    void Close()
    {
        for (Noted &one : noted_) {
            aiox_bh_free(one.bh);
            one.bh = nullptr;
        }
        aiox_bh_queue_run(&queue_);
        aiox_bh_queue_fini(&queue_);
    }

    aiox_bh *New(
        char name, std::function<void()> more = [] {})
    {
        Noted &noted = noted_[name - 'a'];
        noted = {nullptr, this, name, std::move(more)};
        EXPECT_EQ(aiox_bh_new(
                      &noted.bh, &queue_, "noted",
                      [](void *opaque) {
                          auto *n = static_cast<Noted *>(opaque);
                          n->test->ran_ += n->name;
                          n->more();
                      },
                      &noted),
                  0);
        return noted.bh;
    }

    aiox_bh *Bh(char name)
    {
        return noted_[name - 'a'].bh;
    }

    /* What a home does until there is nothing left to do. */
    void Settle()
    {
        while (aiox_bh_queue_timeout_ns(&queue_) == 0) {
            aiox_bh_queue_run(&queue_);
        }
    }

    using Part = std::function<void()>;

    int AtEachStep(bool awake, const Part &prepare, const Part &scene, const Part &handler,
                   const Part &check)
    {
        bool more = true;
        int at = 0;

        for (; more && !HasFailure(); at++) {
            Open(awake);
            prepare();
            more = stepper.Play(at, scene, handler);
            if (more) {
                Settle();
                check();
            }
            EXPECT_FALSE(HasFailure()) << "in front of step " << at << ", ran: " << ran_;
            Close();
        }
        return at - 1;
    }

    /* Returns how many steps the scene has, each of which was tried. */
    int AtEachStep(const Part &prepare, const Part &scene, const Part &handler, const Part &check)
    {
        AtEachStep(false, prepare, scene, handler, check);
        return AtEachStep(true, prepare, scene, handler, check);
    }

    static long Count(const std::string &text, char c)
    {
        return std::count(text.begin(), text.end(), c);
    }

    aiox_bh_queue queue_;
    Noted noted_[8] = {};
    std::string ran_;
    int wakes_ = 0;
};

/* The handler may come before b's ask or behind it, but never between c and what it asked. */
TEST_F(BhStep, AHandlerAsksForAnotherAtEachStepOfAnAskInATurn)
{
    int steps = AtEachStep(
        [this] {
            for (char name = 'a'; name <= 'd'; name++) {
                New(name);
            }
        },
        [this] {
            aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
            aiox_bh_schedule(Bh('a'));
            aiox_bh_schedule(Bh('b'));
            aiox_bh_schedule(Bh('c'));
            aiox_bh_queue_end(outer);
        },
        [this] { aiox_bh_schedule(Bh('d')); },
        [this] {
            std::string others = ran_;
            others.erase(std::remove(others.begin(), others.end(), 'd'), others.end());
            EXPECT_EQ(others, "abc");
            EXPECT_EQ(Count(ran_, 'd'), 1);
        });

    EXPECT_GT(steps, 15);
}

/* What the handler asked for, in its order and ahead of what is asked for after it. */
TEST_F(BhStep, TwoAsksOfAHandlerKeepTheirOrder)
{
    int steps = AtEachStep(
        [this] {
            for (char name = 'a'; name <= 'e'; name++) {
                New(name);
            }
        },
        [this] {
            aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
            aiox_bh_schedule(Bh('a'));
            aiox_bh_schedule(Bh('b'));
            aiox_bh_queue_end(outer);
        },
        [this] {
            aiox_bh_schedule(Bh('c'));
            aiox_bh_schedule(Bh('d'));
        },
        [this] {
            EXPECT_EQ(ran_.size(), 4u);
            EXPECT_LT(ran_.find('c'), ran_.find('d'));
            EXPECT_LT(ran_.find('a'), ran_.find('b'));
        });

    EXPECT_GT(steps, 10);
}

/* The same BH, in the middle of being asked for: one run, or one for each that had run between. */
TEST_F(BhStep, AHandlerAsksForTheSameAtEachStepOfAnAskAndItsRun)
{
    uint64_t asked = 0, seen = 0;
    int runs_before = 0;

    int steps = AtEachStep(
        [&] {
            asked = seen = 0;
            New('a', [&] { seen = asked; });
        },
        [&] {
            aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
            asked++;
            aiox_bh_schedule(Bh('a'));
            aiox_bh_queue_run(&queue_);
            aiox_bh_queue_end(outer);
        },
        [&] {
            runs_before = static_cast<int>(ran_.size());
            asked++;
            aiox_bh_schedule(Bh('a'));
        },
        [&] {
            EXPECT_EQ(seen, 2u);
            EXPECT_LE(ran_.size(), 2u);
            EXPECT_GE(static_cast<int>(ran_.size()), runs_before + 1);
        });

    EXPECT_GT(steps, 15);
}

/*
 * It is asked for when the handler asks, so there is one run, but two if its function has been
 * decided on: a step stands between that and the call of one that was asked for in a turn.
 */
TEST_F(BhStep, AHandlerThatAsksForWhatIsAskedForAddsNoRun)
{
    for (bool in_turn : {false, true}) {
        bool had_run = false;
        int late = 0;

        AtEachStep(
            [&] {
                New('a');
                New('b');
                aiox_bh_queue *outer = in_turn ? aiox_bh_queue_begin(&queue_) : nullptr;
                aiox_bh_schedule(Bh('a'));
                if (in_turn) {
                    aiox_bh_queue_end(outer);
                }
            },
            [&] {
                aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
                aiox_bh_schedule(Bh('b'));
                if (in_turn) {
                    aiox_bh_schedule(Bh('a'));
                }
                aiox_bh_queue_run(&queue_);
                aiox_bh_queue_end(outer);
            },
            [&] {
                had_run = Count(ran_, 'a') > 0;
                aiox_bh_schedule(Bh('a'));
            },
            [&] {
                EXPECT_EQ(ran_.substr(0, 2), "ab");
                EXPECT_LE(Count(ran_, 'a'), 2);
                late += Count(ran_, 'a') == 2 && !had_run;
            });

        EXPECT_LE(late, in_turn ? 2 : 0); /* one at each home */
    }
}

/* What was taken back is on a list still, and is asked for anew when the list comes to it. */
TEST_F(BhStep, AHandlerAsksForACancelledOneAtEachStepOfTheRunThatMeetsIt)
{
    for (bool in_turn : {false, true}) {
        AtEachStep(
            [&] {
                New('a');
                aiox_bh_queue *outer = in_turn ? aiox_bh_queue_begin(&queue_) : nullptr;
                aiox_bh_schedule(Bh('a'));
                EXPECT_TRUE(aiox_bh_cancel(Bh('a')));
                if (in_turn) {
                    aiox_bh_queue_end(outer);
                }
            },
            [&] {
                aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
                aiox_bh_queue_run(&queue_);
                aiox_bh_queue_end(outer);
            },
            [&] { aiox_bh_schedule(Bh('a')); }, [&] { EXPECT_EQ(ran_, "a"); });
    }
}

/* Whatever the home was told just then, it is woken for what came too late for that. */
TEST_F(BhStep, AHandlerWakesAHomeThatIsAboutToSleepInATurn)
{
    int64_t told_ns = 0;
    bool asked_after = false, told = false;

    int steps = AtEachStep(
        [&] {
            told_ns = 0;
            told = asked_after = false;
            New('a', [&] {
                told_ns = aiox_bh_queue_timeout_ns(&queue_);
                told = true;
            });
            New('b');
            aiox_bh_schedule(Bh('a'));
        },
        [&] { aiox_bh_queue_run(&queue_); },
        [&] {
            asked_after = told;
            aiox_bh_schedule(Bh('b'));
        },
        [&] {
            EXPECT_TRUE(told_ns == 0 || wakes_ > 0 || asked_after) << told_ns;
            EXPECT_EQ(ran_, "ab");
        });

    EXPECT_GT(steps, 15);
}

/* Exactly one of the two: it was taken back, or it ran. */
TEST_F(BhStep, AHandlerTakesBackAtEachStepOfAnAskAndItsRun)
{
    bool cancelled = false, ran_then = false;

    int steps = AtEachStep([&] { New('a'); },
                           [&] {
                               aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
                               aiox_bh_schedule(Bh('a'));
                               aiox_bh_queue_run(&queue_);
                               aiox_bh_queue_end(outer);
                           },
                           [&] {
                               ran_then = !ran_.empty();
                               cancelled = aiox_bh_cancel(Bh('a'));
                           },
                           [&] {
                               EXPECT_EQ(ran_, cancelled ? "" : "a");
                               EXPECT_FALSE(cancelled && ran_then);
                           });

    EXPECT_GT(steps, 15);
}

/*
 * Given up at each step, it goes once, and is not entered from there on. But a call that has
 * been decided on is made: a step stands between that and the call.
 */
TEST_F(BhStep, AHandlerFreesAtEachStepOfAnAskAndItsRun)
{
    long ran_before = 0;
    int late = 0;

    AtEachStep(
        [&] {
            New('a');
            New('b');
        },
        [&] {
            aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
            aiox_bh_schedule(Bh('b'));
            if (aiox_bh *a = Bh('a')) {
                aiox_bh_schedule(a);
            }
            aiox_bh_queue_run(&queue_);
            aiox_bh_queue_end(outer);
        },
        [&] {
            ran_before = Count(ran_, 'a');
            aiox_bh_free(Bh('a'));
            noted_[0].bh = nullptr;
        },
        [&] { late += Count(ran_, 'a') > ran_before; });

    EXPECT_LE(late, 2); /* one at each home */
}

/* Of a guard: what was put off comes back, and what the handler asks for meanwhile is not lost. */
TEST_F(BhStep, AHandlerAsksAtEachStepOfAGuardedRun)
{
    struct aiox_bh_guard guard = {};

    AtEachStep(
        [&] {
            guard = {};
            New('a', [&] { aiox_bh_queue_run(&queue_); });
            New('b');
            New('c');
            aiox_bh_set_guard(Bh('a'), &guard);
            aiox_bh_set_guard(Bh('b'), &guard);
        },
        [&] {
            aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
            aiox_bh_schedule(Bh('a'));
            aiox_bh_schedule(Bh('b'));
            aiox_bh_queue_run(&queue_);
            aiox_bh_queue_end(outer);
        },
        [&] { aiox_bh_schedule(Bh('c')); },
        [&] {
            EXPECT_EQ(Count(ran_, 'a'), 1);
            EXPECT_EQ(Count(ran_, 'b'), 1);
            EXPECT_EQ(Count(ran_, 'c'), 1);
            EXPECT_LT(ran_.find('a'), ran_.find('b'));
        });
}

} // namespace
