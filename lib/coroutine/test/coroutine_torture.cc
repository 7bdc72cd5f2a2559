/* SPDX-License-Identifier: MIT */
/*
 * coroutine_torture.cc - coroutines that wander between threads, for long.
 *
 * The oracle: each coroutine counts its own steps in a plain variable on its
 * stack and in one in the heap; every step is accounted for at the end, and
 * every stack comes back.
 */
#include "aiox/coroutine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/coroutine/test/testing.h"

namespace
{
using co_testing::Spawn;
using co_testing::Yield;

std::chrono::seconds Budget()
{
    const char *seconds = std::getenv("AIOX_TORTURE_SECONDS");
    return std::chrono::seconds(seconds ? std::atoi(seconds) : 2);
}

struct Traveller {
    int steps_to_go;
    aiox_co *co = nullptr;
    int steps = 0;
    bool ended = false;
};

/* Those who have yielded and wait for any thread to go on. */
class Station
{
  public:
    void Arrive(Traveller *t)
    {
        std::lock_guard<std::mutex> guard(lock_);
        waiting_.push_back(t);
    }
    Traveller *Depart(std::mt19937 &random)
    {
        std::lock_guard<std::mutex> guard(lock_);
        if (waiting_.empty()) {
            return nullptr;
        }
        std::swap(waiting_[random() % waiting_.size()], waiting_.back());
        Traveller *t = waiting_.back();
        waiting_.pop_back();
        return t;
    }

  private:
    std::mutex lock_;
    std::vector<Traveller *> waiting_;
};

void Travel(Traveller *t)
{
    int mine = 0;
    while (mine < t->steps_to_go) {
        mine++;
        t->steps++;
        Yield();
    }
    t->ended = mine == t->steps;
}

void Drive(Station *station, std::atomic<int> *under_way, unsigned seed)
{
    std::mt19937 random(seed);
    while (under_way->load() > 0) {
        Traveller *t = station->Depart(random);
        if (!t) {
            std::this_thread::yield();
            continue;
        }
        aiox_co_enter(t->co);
        if (t->ended) {
            (*under_way)--;
        } else {
            station->Arrive(t);
        }
    }
}

TEST(CoroutineTorture, TravellersLoseNoStepAndNoStack)
{
    constexpr int kTravellers = 400;
    constexpr int kThreads = 4;
    auto until = std::chrono::steady_clock::now() + Budget();
    long lives = 0;
    std::mt19937 seed(1);

    do {
        Station station;
        std::atomic<int> under_way{kTravellers};
        std::vector<std::unique_ptr<Traveller>> travellers;
        for (int i = 0; i < kTravellers; i++) {
            travellers.emplace_back(new Traveller{static_cast<int>(seed() % 50)});
            Traveller *t = travellers.back().get();
            t->co = Spawn([t] { Travel(t); });
            station.Arrive(t);
        }
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; i++) {
            threads.emplace_back(Drive, &station, &under_way, static_cast<unsigned>(seed()));
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        for (auto &t : travellers) {
            ASSERT_EQ(t->steps, t->steps_to_go);
        }
        lives += kTravellers;
    } while (std::chrono::steady_clock::now() < until);

    aiox_co_pool_trim();
    EXPECT_EQ(co_testing::Stats().in_use, 0u);
    RecordProperty("lives", static_cast<int>(lives));
}
} // namespace
