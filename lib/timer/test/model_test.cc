/* SPDX-License-Identifier: MIT */
/*
 * model_test.cc - random programs against a model made of sorted maps.
 *
 * A program arms, cancels, finishes, moves clocks and runs passes, from outside
 * and from inside callbacks, passes in passes included. The model keeps, per
 * clock, a std::multimap from deadline to timer, which like the promise puts
 * equals in the order of insertion, and a list of what a pass has found due.
 * Each callback must be the one that the model runs next.
 *
 * AIOX_TEST_SEED=n runs the one program n.
 */
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <list>
#include <map>
#include <optional>
#include <random>

#include "lib/timer/test/fixture.h"

namespace aiox_test
{
namespace
{
constexpr int kTimers = 48;
constexpr int kOperations = 10000;
constexpr int kPrograms = 20;
constexpr int64_t kNever = INT64_MAX;

/* What the header promises, written without a thought for speed. */
class Model
{
  public:
    struct Timer {
        aiox_clock clock = AIOX_CLOCK_MONOTONIC;
        uint32_t attributes = 0;
        int64_t deadline = -1;
    };
    struct Pass {
        uint32_t ignore = 0;
        bool found[AIOX_CLOCKS] = {}; /* clocks of which something is due */
        bool any = false;             /* somebody was called */
    };

    void Forget(int id)
    {
        auto &list = lists_[timers[id].clock];
        list.due.remove(id);
        for (auto i = list.armed.begin(); i != list.armed.end(); ++i) {
            if (i->second == id) {
                list.armed.erase(i);
                break;
            }
        }
        timers[id].deadline = -1;
    }
    void Arm(int id, int64_t deadline)
    {
        Forget(id);
        timers[id].deadline = std::max<int64_t>(deadline, 0);
        lists_[timers[id].clock].armed.emplace(timers[id].deadline, id);
    }
    void ArmEarlier(int id, int64_t deadline)
    {
        auto &due = lists_[timers[id].clock].due;
        deadline = std::max<int64_t>(deadline, 0);
        if (timers[id].deadline >= 0 && timers[id].deadline <= deadline) {
            return;
        }
        if (std::find(due.begin(), due.end(), id) != due.end()) {
            timers[id].deadline = deadline;
        } else {
            Arm(id, deadline);
        }
    }
    bool IsPending(int id) const
    {
        return timers[id].deadline >= 0;
    }

    Pass BeginPass(uint32_t ignore)
    {
        Pass pass;
        pass.ignore = ignore;
        for (int c = 0; c < AIOX_CLOCKS; c++) {
            auto &list = lists_[c];
            for (auto i = list.armed.begin();
                 enabled[c] && i != list.armed.end() && i->first <= Now(c);) {
                bool ignored = timers[i->second].attributes & ignore;
                if (!ignored) {
                    list.due.push_back(i->second);
                }
                i = ignored ? std::next(i) : list.armed.erase(i);
            }
            pass.found[c] = enabled[c] && !list.due.empty();
        }
        return pass;
    }
    /* Who is called next in @pass; takes it from the due ones. */
    std::optional<int> Next(Pass *pass)
    {
        for (int c = 0; c < AIOX_CLOCKS; c++) {
            auto &due = lists_[c].due;
            for (auto i = due.begin(); pass->found[c] && enabled[c] && i != due.end(); ++i) {
                int id = *i;
                if (!(timers[id].attributes & pass->ignore)) {
                    due.erase(i);
                    timers[id].deadline = -1;
                    pass->any = true;
                    return id;
                }
            }
            pass->found[c] = false; /* a pass does not come back to a clock */
        }
        return std::nullopt;
    }
    int64_t Timeout(uint32_t ignore) const
    {
        int64_t shortest = kNever;
        for (const Timer &timer : timers) {
            if (timer.deadline < 0 || timer.deadline == kNever || timer.attributes & ignore ||
                !enabled[timer.clock]) {
                continue;
            }
            if (IsDue(timer)) {
                return 0;
            }
            if (timer.clock != AIOX_CLOCK_VIRTUAL || aiox_virtual_clock_is_running()) {
                shortest = std::min(shortest, timer.deadline - Now(timer.clock));
            }
        }
        return shortest == kNever ? -1 : shortest;
    }

    Timer timers[kTimers];
    bool enabled[AIOX_CLOCKS] = {true, true, true, true};

  private:
    struct List {
        std::multimap<int64_t, int> armed;
        std::list<int> due;
    };
    static int64_t Now(int clock)
    {
        return aiox_timer_clock_ns(static_cast<aiox_clock>(clock));
    }
    /* Found due once, a timer stays due, though the time of day be set back. */
    bool IsDue(const Timer &timer) const
    {
        const auto &due = lists_[timer.clock].due;
        int id = static_cast<int>(&timer - timers);
        return timer.deadline <= Now(timer.clock) ||
               std::find(due.begin(), due.end(), id) != due.end();
    }

    List lists_[AIOX_CLOCKS];
};

class Program
{
  public:
    explicit Program(uint64_t seed) : random_(seed)
    {
        for (int id = 0; id < kTimers; id++) {
            names_[id] = {this, id};
            Make(id);
        }
    }
    ~Program()
    {
        for (aiox_timer &timer : timers_) {
            aiox_timer_fini(&timer);
        }
        for (int c = 0; c < AIOX_CLOCKS; c++) {
            aiox_timer_clock_enable(static_cast<aiox_clock>(c), true);
        }
        aiox_virtual_clock_start();
    }

    void Run()
    {
        for (int i = 0; i < kOperations && !::testing::Test::HasFailure(); i++) {
            Step();
            Compare();
        }
    }
    int fired = 0, nested = 0;

  private:
    struct Name {
        Program *program;
        int id;
    };

    int Random(int n)
    {
        return static_cast<int>(random_() % static_cast<unsigned>(n));
    }
    void Make(int id)
    {
        Model::Timer &model = model_.timers[id];
        model.clock = static_cast<aiox_clock>(Random(AIOX_CLOCKS));
        model.attributes = Random(4) ? 0 : 1 << Random(3);
        const aiox_timer_options options = {model.clock, AIOX_SCALE_NS, model.attributes};
        ASSERT_EQ(aiox_timer_init(&timers_[id], group_, &options, &Program::Fire, &names_[id]), 0);
    }
    int64_t Deadline(int id)
    {
        int64_t now = aiox_timer_clock_ns(model_.timers[id].clock);
        switch (Random(12)) {
        case 0:
            return -Random(100);
        case 1: /* but no warp shall go to the end of virtual time */
            return kNever - (model_.timers[id].clock == AIOX_CLOCK_VIRTUAL ? 0 : Random(2));
        case 2:
            return now;
        case 3:
            return now - Random(50);
        case 4:
            return now + Random(100000);
        default:
            return now + Random(40);
        }
    }
    void MoveClocks()
    {
        switch (Random(8)) {
        case 0:
            return aiox_virtual_clock_stop();
        case 1:
            return aiox_virtual_clock_start();
        case 2:
            return aiox_virtual_clock_step_ns(Random(30));
        case 3:
            aiox_virtual_clock_warp();
            return;
        case 4:
            return clock_.Jump(Random(60) - 30);
        default:
            return clock_.Advance(Random(20));
        }
    }
    void Enable()
    {
        int clock = Random(AIOX_CLOCKS);
        bool enabled = Random(3) != 0;

        EXPECT_EQ(aiox_timer_clock_enable(static_cast<aiox_clock>(clock), enabled),
                  model_.enabled[clock]);
        model_.enabled[clock] = enabled;
    }
    void RunPass()
    {
        Model::Pass pass = model_.BeginPass(Random(3) ? 0 : static_cast<uint32_t>(Random(8)));
        Model::Pass *outer = pass_;

        depth_++;
        nested += depth_ > 1;
        pass_ = &pass;
        EXPECT_EQ(aiox_timer_group_run_without(group_, pass.ignore), pass.any);
        EXPECT_FALSE(model_.Next(&pass).has_value()) << "a due timer was left out";
        pass_ = outer;
        depth_--;
    }
    static void Fire(void *opaque)
    {
        auto *name = static_cast<Name *>(opaque);
        name->program->Fired(name->id);
    }
    void Fired(int id)
    {
        std::optional<int> expected = model_.Next(pass_);

        ASSERT_TRUE(expected.has_value()) << id << " fired, but nothing is due";
        ASSERT_EQ(id, *expected);
        fired++;
        for (int n = Random(4); n > 0; n--) {
            Step();
        }
    }
    void Step()
    {
        int id = Random(kTimers);
        int64_t deadline = Deadline(id);

        switch (Random(13)) {
        case 0:
            EXPECT_EQ(aiox_timer_cancel(&timers_[id]), model_.IsPending(id));
            return model_.Forget(id);
        case 1:
            aiox_timer_fini(&timers_[id]);
            model_.Forget(id);
            return Make(id);
        case 2:
            return Enable();
        case 3:
        case 4:
            return MoveClocks();
        case 5:
        case 6:
            return depth_ < 4 ? RunPass() : MoveClocks();
        case 7:
            model_.ArmEarlier(id, deadline);
            return aiox_timer_mod_earlier_ns(&timers_[id], deadline);
        default:
            model_.Arm(id, deadline);
            return aiox_timer_mod_ns(&timers_[id], deadline);
        }
    }
    void Compare()
    {
        for (int id = 0; id < kTimers; id++) {
            ASSERT_EQ(aiox_timer_expire_time_ns(&timers_[id]), model_.timers[id].deadline) << id;
        }
        ASSERT_EQ(group_.Timeout(), model_.Timeout(0));
        ASSERT_EQ(aiox_timer_group_timeout_without_ns(group_, 3), model_.Timeout(3));
    }

    std::mt19937_64 random_;
    FakeClock clock_;
    Group group_;
    Model model_;
    Name names_[kTimers];
    aiox_timer timers_[kTimers] = {};
    Model::Pass *pass_ = nullptr;
    int depth_ = 0;
};
} // namespace

TEST(TimerModel, RandomProgramsDoWhatTheModelDoes)
{
    const char *given = std::getenv("AIOX_TEST_SEED");
    uint64_t first = given ? std::strtoull(given, nullptr, 0) : std::random_device()();
    int fired = 0, nested = 0;

    for (uint64_t seed = first; seed < first + (given ? 1 : kPrograms) && !HasFailure(); seed++) {
        SCOPED_TRACE("AIOX_TEST_SEED=" + std::to_string(seed));
        Program program(seed);
        program.Run();
        fired += program.fired;
        nested += program.nested;
    }

    std::cout << "seeds from " << first << ": " << fired << " fired, " << nested
              << " passes inside passes\n";
    EXPECT_GT(fired, 1000);
    EXPECT_GT(nested, 100);
}
} // namespace aiox_test
