/* SPDX-License-Identifier: MIT */
/*
 * lockcnt_sched_test.cc - what aiox/lockcnt.h promises, in every schedule.
 *
 * Threads visit a node, delete it, or just take the lock, each in the way its
 * header shows. The explorer sees two owners at once, a read of freed memory,
 * a free that a visitor's read may come after, and a sleeper that nobody wakes.
 * The mutants in BUILD show that these tests can fail.
 */
#include "aiox/lockcnt.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "test/harness/schedule.h"

namespace
{
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

struct Node {
    int data;
    aiox_atomic_u32 deleted;
};

/* A structure of at most one node, and what its users do. */
class House
{
  public:
    explicit House(Schedule &s)
    {
        aiox_lockcnt_init(&lc_);
        auto *node = static_cast<Node *>(malloc(sizeof(Node)));
        *node = Node{};
        aiox_ptr_store_relaxed(&node_, node);
        s.Name(&lc_, "lc");
        s.Name(&node_, "node");
    }

    void Lock()
    {
        aiox_lockcnt_lock(&lc_);
        Enter();
        aiox_lockcnt_unlock(&lc_);
    }

    void Delete()
    {
        aiox_lockcnt_lock(&lc_);
        Enter();
        if (aiox_lockcnt_count(&lc_) == 0) {
            FreeNode();
        } else {
            aiox_u32_store_relaxed(&TheNode()->deleted, 1);
        }
        aiox_lockcnt_unlock(&lc_);
    }

    /* The last one out frees what was deleted. */
    void Visit()
    {
        aiox_lockcnt_inc(&lc_);
        LookAtNode();
        if (aiox_lockcnt_dec_and_lock(&lc_)) {
            Enter();
            Reap();
            aiox_lockcnt_unlock(&lc_);
        }
    }

    /* As a loop does it: frees what was deleted if it is alone, and goes on visiting. */
    void VisitOnAndOn()
    {
        aiox_lockcnt_inc(&lc_);
        LookAtNode();
        if (aiox_lockcnt_dec_if_lock(&lc_)) {
            Enter();
            Reap();
            aiox_lockcnt_inc_and_unlock(&lc_);
        }
        LookAtNode();
        aiox_lockcnt_dec(&lc_);
    }

    /* After the run: everybody has left. */
    void End(bool is_deleted)
    {
        if (TheNode() && is_deleted) {
            SCHEDULE_CHECK(aiox_u32_load_relaxed(&TheNode()->deleted));
        }
        free(TheNode());
        SCHEDULE_CHECK(aiox_lockcnt_count(&lc_) == 0);
        aiox_lockcnt_fini(&lc_);
    }

    /* After the run: the last visitor was one that frees. */
    void EndWithoutNode()
    {
        SCHEDULE_CHECK(TheNode() == nullptr);
        End(true);
    }

    aiox_lockcnt *lockcnt()
    {
        return &lc_;
    }

  private:
    Node *TheNode()
    {
        return static_cast<Node *>(aiox_ptr_load_relaxed(&node_));
    }

    /* Two at once would race. */
    void Enter()
    {
        AIOX_PLAIN_WRITE(&owners_);
        owners_++;
    }

    void LookAtNode()
    {
        auto *node = static_cast<Node *>(aiox_ptr_load_acquire(&node_));

        if (node) {
            AIOX_PLAIN_READ(&node->data);
            SCHEDULE_CHECK(node->data == 0);
        }
    }

    void FreeNode()
    {
        Node *node = TheNode();

        SCHEDULE_CHECK(aiox_lockcnt_count(&lc_) == 0);
        aiox_ptr_store_release(&node_, nullptr);
        free(node);
    }

    void Reap()
    {
        Node *node = TheNode();

        SCHEDULE_CHECK(aiox_lockcnt_count(&lc_) == 0);
        if (node && aiox_u32_load_relaxed(&node->deleted)) {
            FreeNode();
        }
    }

    aiox_lockcnt lc_;
    aiox_atomic_ptr node_;
    int owners_ = 0;
};

class LockcntSchedule : public ::testing::TestWithParam<Mode>
{
  protected:
    /* As many preemptions; @c11 of them, and @old stale values, where loads have choices. */
    ScheduleOptions Bound(int bound, int c11, int old, int spurious_wakes = 0) const
    {
        return {GetParam() == Mode::kC11 ? c11 : bound, GetParam(), 60, spurious_wakes, old};
    }
};

TEST_P(LockcntSchedule, OneOwnerAtATime)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 3, 2, 1), [](Schedule &s) {
        House house(s);

        for (const char *name : {"one", "two", "three"}) {
            s.Thread(name, [&] { house.Lock(); });
        }
        s.Run();

        house.End(false);
    }));
}

TEST_P(LockcntSchedule, AVisitorNeverSeesFreedMemory)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(4, 3, 9, 1), [](Schedule &s) {
        House house(s);

        s.Thread("visitor", [&] { house.Visit(); });
        s.Thread("deleter", [&] { house.Delete(); });
        s.Run();

        house.EndWithoutNode();
    }));
}

/*
 * The shortest way to forget a sleeper: while the owner works, the last visitor
 * and a locker go to sleep and a new visit begins. The unlock wakes the visitor,
 * who is no longer the last and has no use for the lock.
 */
void NotTheLastAnyMore(Schedule &s, void (*leave)(aiox_lockcnt *lc)) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    House house(s);
    aiox_lockcnt *lc = house.lockcnt();

    aiox_lockcnt_inc(lc);
    aiox_lockcnt_lock(lc);
    s.Thread("leaver", [=] { leave(lc); });
    s.Thread("locker", [&] { house.Lock(); });
    s.Thread("visitor", [=] {
        aiox_lockcnt_inc(lc);
        aiox_lockcnt_dec(lc);
    });
    s.Thread("owner", [=]() AIOX_NO_THREAD_SAFETY_ANALYSIS { aiox_lockcnt_unlock(lc); });
    s.Run();

    house.End(false);
}

TEST_P(LockcntSchedule, OneWhoHasSleptAndIsNotTheLastPassesTheWakeOn)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 2, 1), [](Schedule &s) {
        NotTheLastAnyMore(s, [](aiox_lockcnt *lc) {
            if (aiox_lockcnt_dec_and_lock(lc)) {
                aiox_lockcnt_unlock(lc);
            }
        });
    }));
}

TEST_P(LockcntSchedule, OneWhoHasSleptAndVisitsOnPassesTheWakeOn)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 2, 1), [](Schedule &s) {
        NotTheLastAnyMore(s, [](aiox_lockcnt *lc) {
            if (aiox_lockcnt_dec_if_lock(lc)) {
                aiox_lockcnt_inc_and_unlock(lc);
            }
            aiox_lockcnt_dec(lc);
        });
    }));
}

TEST_P(LockcntSchedule, TheLastOfTwoVisitorsFrees)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2, 2), [](Schedule &s) {
        House house(s);

        s.Thread("one", [&] { house.Visit(); });
        s.Thread("two", [&] { house.Visit(); });
        s.Thread("deleter", [&] { house.Delete(); });
        s.Run();

        house.EndWithoutNode();
    }));
}

TEST_P(LockcntSchedule, ALoopThatVisitsOnAndOnFreesWhenItIsAlone)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2, 2), [](Schedule &s) {
        House house(s);

        s.Thread("loop", [&] { house.VisitOnAndOn(); });
        s.Thread("visitor", [&] { house.Visit(); });
        s.Thread("deleter", [&] { house.Delete(); });
        s.Run();

        house.End(true);
    }));
}

TEST_P(LockcntSchedule, NoSleeperIsForgottenInAnyMixOfRoles)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1, 1), [](Schedule &s) {
        House house(s);

        s.Thread("one", [&] { house.Visit(); });
        s.Thread("two", [&] { house.Visit(); });
        s.Thread("deleter", [&] { house.Delete(); });
        s.Thread("locker", [&] { house.Lock(); });
        s.Run();

        house.EndWithoutNode();
    }));
}

TEST_P(LockcntSchedule, NoSleeperIsForgottenByAVisitThatBegins)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1, 1), [](Schedule &s) {
        House house(s);

        s.Thread("owner", [&] { house.Lock(); });
        for (const char *name : {"one", "two", "three"}) {
            s.Thread(name, [&] {
                aiox_lockcnt_inc(house.lockcnt());
                aiox_lockcnt_dec(house.lockcnt());
            });
        }
        s.Run();

        house.End(false);
    }));
}

TEST_P(LockcntSchedule, NoSleeperIsForgottenByALoopThatDoesNotLock)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1, 1), [](Schedule &s) {
        House house(s);

        s.Thread("loop", [&] { house.VisitOnAndOn(); });
        s.Thread("visitor", [&] { house.Visit(); });
        s.Thread("deleter", [&] { house.Delete(); });
        s.Thread("locker", [&] { house.Lock(); });
        s.Run();

        house.End(true);
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, LockcntSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);

} // namespace
