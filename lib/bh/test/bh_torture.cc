/* SPDX-License-Identifier: MIT */
/*
 * bh_torture.cc - many askers on real cores, for AIOX_TORTURE_SECONDS (2).
 *
 * The oracle counts. An asker raises its own number and then asks; the function
 * copies the number. When all askers have stopped and the home has nothing left
 * to do, the copy must be the number: an ask that was lost shows. A function
 * never runs more often than it was asked for.
 */
#include "aiox/bh.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace
{
constexpr int kAskers = 4;
constexpr int kBhs = 16;

double Budget()
{
    const char *seconds = std::getenv("AIOX_TORTURE_SECONDS");
    return seconds ? std::atof(seconds) : 2;
}

class Deadline
{
  public:
    bool passed() const
    {
        return std::chrono::steady_clock::now() > end_;
    }

  private:
    std::chrono::steady_clock::time_point end_ =
        std::chrono::steady_clock::now() +
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            std::chrono::duration<double>(Budget()));
};

/* A queue and the thread that drains it; it sleeps as a loop does. */
class Home
{
  public:
    Home()
    {
        aiox_bh_queue_init(
            &queue_, [](void *self) { static_cast<Home *>(self)->Wake(); }, this);
        thread_ = std::thread([this] { Live(); });
    }

    /* Nobody asks any more: does what is left to do. */
    ~Home()
    {
        stop_ = true;
        Wake();
        thread_.join();
        while (aiox_bh_queue_run(&queue_)) {
        }
        aiox_bh_queue_fini(&queue_);
    }

    aiox_bh_queue *queue()
    {
        return &queue_;
    }

    uint64_t sleeps() const
    {
        return sleeps_;
    }

  private:
    void Wake()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        woken_ = true;
        wake_.notify_one();
    }

    void Live()
    {
        while (!stop_) {
            int64_t timeout_ns = aiox_bh_queue_timeout_ns(&queue_);
            if (timeout_ns != 0) {
                std::unique_lock<std::mutex> lock(mutex_);
                /* For ever, also if only idle ones are due: a lost wake hangs. */
                wake_.wait(lock, [this] { return woken_; });
                woken_ = false;
                sleeps_++;
            }
            aiox_bh_queue_run(&queue_);
        }
    }

    aiox_bh_queue queue_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool woken_ = false;
    std::atomic<bool> stop_{false};
    std::atomic<uint64_t> sleeps_{0};
    std::thread thread_;
};

struct Counted {
    aiox_bh *bh = nullptr;
    std::atomic<uint64_t> asked[kAskers] = {};
    uint64_t seen[kAskers] = {};
    uint64_t runs = 0;

    static void Look(void *self)
    {
        auto *c = static_cast<Counted *>(self);
        c->runs++;
        for (int i = 0; i < kAskers; i++) {
            c->seen[i] = c->asked[i].load(std::memory_order_relaxed);
        }
    }
};

TEST(BhTorture, NoAskIsLost)
{
    std::vector<Counted> counted(kBhs);
    uint64_t asks = 0, runs = 0, sleeps = 0;
    {
        Home home;
        Deadline deadline;
        for (auto &c : counted) {
            ASSERT_EQ(aiox_bh_new(&c.bh, home.queue(), "counted", &Counted::Look, &c), 0);
        }

        std::vector<std::thread> askers;
        for (int i = 0; i < kAskers; i++) {
            askers.emplace_back([&, i] {
                std::minstd_rand random(static_cast<unsigned>(i) + 1);
                while (!deadline.passed()) {
                    for (unsigned n = random() % 64; n > 0; n--) {
                        Counted &c = counted[random() % kBhs];
                        c.asked[i].fetch_add(1, std::memory_order_relaxed);
                        aiox_bh_schedule(c.bh);
                    }
                    if (random() % 4 == 0) {
                        std::this_thread::yield(); /* the home may fall asleep */
                    }
                }
            });
        }
        for (auto &asker : askers) {
            asker.join();
        }
        /* What was asked for before this one has run when it runs. */
        std::atomic<bool> all_ran{false};
        ASSERT_EQ(aiox_bh_queue_oneshot(
                      home.queue(), "last",
                      [](void *flag) { *static_cast<std::atomic<bool> *>(flag) = true; }, &all_ran),
                  0);
        while (!all_ran) {
            std::this_thread::yield();
        }
        for (auto &c : counted) {
            aiox_bh_free(c.bh);
        }
        sleeps = home.sleeps();
    }

    for (auto &c : counted) {
        uint64_t asked = 0;
        for (int i = 0; i < kAskers; i++) {
            EXPECT_EQ(c.seen[i], c.asked[i].load());
            asked += c.asked[i];
        }
        EXPECT_LE(c.runs, asked);
        asks += asked;
        runs += c.runs;
    }
    EXPECT_GT(sleeps, 0u);
    std::cout << asks << " asks, " << runs << " runs, " << sleeps << " sleeps\n";
}

/* What is asked for at home, in a turn, and elsewhere, and is taken back elsewhere now and then. */
class AskedForFromBothSides
{
  public:
    explicit AskedForFromBothSides(int self) : self_(self)
    {
    }

    void Make(aiox_bh_queue *queue, std::vector<std::unique_ptr<AskedForFromBothSides>> *all)
    {
        queue_ = queue;
        all_ = all;
        ASSERT_EQ(aiox_bh_new(
                      &bh_, queue, "both sides",
                      [](void *self) { static_cast<AskedForFromBothSides *>(self)->Look(); }, this),
                  0);
    }

    void AskFrom(int asker)
    {
        asked_[asker].fetch_add(1, std::memory_order_relaxed);
        aiox_bh_schedule(bh_);
        far_.store(true, std::memory_order_relaxed);
    }

    /* What is taken back is asked for again. */
    bool TakeBackAndAskFrom(int asker)
    {
        bool taken_back = aiox_bh_cancel(bh_);
        AskFrom(asker);
        return taken_back;
    }

    /* At home, in a turn. */
    void AskHere()
    {
        asked_[kAskers].fetch_add(1, std::memory_order_relaxed);
        aiox_bh_schedule(bh_);
        near_ = true;
    }

    void Free()
    {
        aiox_bh_free(bh_);
    }

    void Check() const
    {
        for (int i = 0; i <= kAskers; i++) {
            EXPECT_EQ(seen_[i], asked_[i].load()) << "asker " << i << " of " << self_;
        }
    }

    static inline std::atomic<bool> over{false};
    static inline uint64_t asked_here, asked_from_both, ran;
    static inline std::atomic<uint64_t> oneshots;

  private:
    void Look()
    {
        ran++;
        for (int i = 0; i <= kAskers; i++) {
            seen_[i] = asked_[i].load(std::memory_order_relaxed);
        }
        asked_from_both += near_ && far_.exchange(false, std::memory_order_relaxed);
        near_ = false;
        if (over) {
            return;
        }
        for (unsigned n = random_() % 3; n > 0; n--) {
            (*all_)[random_() % all_->size()]->AskHere();
            asked_here++;
        }
        if (random_() % 8 == 0) {
            EXPECT_EQ(aiox_bh_queue_oneshot(
                          queue_, "once", [](void *) { oneshots++; }, nullptr),
                      0);
        }
    }

    const int self_;
    aiox_bh_queue *queue_ = nullptr;
    aiox_bh *bh_ = nullptr;
    std::vector<std::unique_ptr<AskedForFromBothSides>> *all_ = nullptr;
    std::atomic<uint64_t> asked_[kAskers + 1] = {}; /* the last is the home */
    uint64_t seen_[kAskers + 1] = {};
    std::atomic<bool> far_{false};
    bool near_ = false;
    std::minstd_rand random_;
};

TEST(BhTorture, NoAskIsLostThatIsMadeInATurn)
{
    using Both = AskedForFromBothSides;
    std::vector<std::unique_ptr<Both>> all;
    std::atomic<uint64_t> taken_back{0};
    Both::over = false;
    Both::asked_here = Both::asked_from_both = Both::ran = Both::oneshots = 0;
    {
        Home home;
        Deadline deadline;
        for (int i = 0; i < kBhs; i++) {
            all.push_back(std::make_unique<Both>(i));
        }
        for (auto &one : all) {
            one->Make(home.queue(), &all);
        }

        std::vector<std::thread> askers;
        for (int i = 0; i < kAskers; i++) {
            askers.emplace_back([&, i] {
                std::minstd_rand random(static_cast<unsigned>(i) + 1);
                while (!deadline.passed()) {
                    for (unsigned n = random() % 64; n > 0; n--) {
                        Both &one = *all[random() % kBhs];
                        if (random() % 4 == 0) {
                            taken_back += one.TakeBackAndAskFrom(i);
                        } else {
                            one.AskFrom(i);
                        }
                    }
                    std::this_thread::yield();
                }
            });
        }
        for (auto &asker : askers) {
            asker.join();
        }
        Both::over = true;
        /* All that was asked for has run when the second of these runs. */
        for (int i = 0; i < 2; i++) {
            std::atomic<bool> all_ran{false};
            ASSERT_EQ(aiox_bh_queue_oneshot(
                          home.queue(), "last",
                          [](void *flag) { *static_cast<std::atomic<bool> *>(flag) = true; },
                          &all_ran),
                      0);
            while (!all_ran) {
                std::this_thread::yield();
            }
        }
        for (auto &one : all) {
            one->Free();
        }
    }

    for (auto &one : all) {
        one->Check();
    }
    EXPECT_GT(Both::asked_here, 1000u);
    EXPECT_GT(Both::asked_from_both, 100u);
    EXPECT_GT(taken_back, 10u);
    EXPECT_GT(Both::oneshots, 100u);
    std::cout << Both::asked_here << " asks here, " << Both::asked_from_both
              << " runs for both sides, " << taken_back << " taken back, " << Both::ran << " runs, "
              << Both::oneshots << " oneshots\n";
}

TEST(BhTorture, EachAskerIsServedInItsOrder)
{
    constexpr uint64_t kAhead = 10000;
    struct Line {
        std::atomic<uint64_t> last{0};
        uint64_t asked = 0;
        uint64_t out_of_order = 0;
    };
    struct Numbered {
        Line *line;
        uint64_t number;
    };
    Line lines[kAskers];
    {
        Home home;
        Deadline deadline;
        std::vector<std::thread> askers;
        for (Line &line : lines) {
            askers.emplace_back([&] {
                while (!deadline.passed()) {
                    while (line.asked - line.last > kAhead) {
                        std::this_thread::yield();
                    }
                    ASSERT_EQ(aiox_bh_queue_oneshot(
                                  home.queue(), "numbered",
                                  [](void *opaque) {
                                      std::unique_ptr<Numbered> n(static_cast<Numbered *>(opaque));
                                      n->line->out_of_order += n->number != n->line->last + 1;
                                      n->line->last = n->number;
                                  },
                                  new Numbered{&line, ++line.asked}),
                              0);
                }
            });
        }
        for (auto &asker : askers) {
            asker.join();
        }
    }

    for (Line &line : lines) {
        EXPECT_EQ(line.out_of_order, 0u);
        EXPECT_EQ(line.last, line.asked);
    }
}

TEST(BhTorture, CancelledAndFreedWhileAskedForEachEndsOnce)
{
    std::atomic<uint64_t> runs{0}, asks{0}, taken_back{0};
    {
        Home home;
        Deadline deadline;
        std::vector<std::thread> owners;
        for (unsigned i = 0; i < kAskers; i++) {
            owners.emplace_back([&, i] {
                std::minstd_rand random(i + 1);
                while (!deadline.passed()) {
                    aiox_bh *bh;
                    ASSERT_EQ(aiox_bh_new(
                                  &bh, home.queue(), "short life",
                                  [](void *n) { ++*static_cast<std::atomic<uint64_t> *>(n); },
                                  &runs),
                              0);
                    aiox_bh_schedule(bh);
                    asks++;
                    if (random() % 2) {
                        taken_back += aiox_bh_cancel(bh);
                    } else if (random() % 2) {
                        aiox_bh_schedule_idle(bh);
                        asks++;
                    }
                    if (random() % 4 == 0) {
                        std::this_thread::yield();
                    }
                    aiox_bh_free(bh);
                }
            });
        }
        for (auto &owner : owners) {
            owner.join();
        }
    } /* the queue's end names what is still alive */

    EXPECT_GT(runs, 0u);
    EXPECT_GT(taken_back, 0u);
    EXPECT_LE(runs + taken_back, asks);
}

} // namespace
