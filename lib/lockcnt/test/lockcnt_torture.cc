/* SPDX-License-Identifier: MIT */
/*
 * lockcnt_torture.cc - many visitors on real cores, for AIOX_TORTURE_SECONDS (2).
 *
 * Threads walk a list of nodes, each of which says in its own memory whether it
 * is alive; what is freed is first made to say that it is dead. The oracles: no
 * visitor meets a dead node; what was made was freed, once; nobody sleeps for
 * ever (the test ends); never two owners.
 */
#include "aiox/lockcnt.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace
{
constexpr int kThreads = 4;
constexpr uint32_t kAlive = 0x600d, kDead = 0xdead;

class Deadline
{
  public:
    bool passed() const
    {
        return std::chrono::steady_clock::now() > end_;
    }

  private:
    static double Budget()
    {
        const char *seconds = std::getenv("AIOX_TORTURE_SECONDS");
        return seconds ? std::atof(seconds) : 2;
    }

    std::chrono::steady_clock::time_point end_ =
        std::chrono::steady_clock::now() +
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            std::chrono::duration<double>(Budget()));
};

struct Node {
    std::atomic<Node *> next{nullptr};
    std::atomic<bool> deleted{false};
    uint32_t says = kAlive; /* plain: the sanitizer sees a write that a visitor may see */
};

/* A list that is walked without its lock and changed under it. */
class List
{
  public:
    List()
    {
        aiox_lockcnt_init(&lc_);
    }

    ~List()
    {
        while (Node *node = head_) {
            head_ = node->next.load();
            Bury(node);
        }
        aiox_lockcnt_fini(&lc_);
        EXPECT_EQ(made_, buried_);
        EXPECT_EQ(met_dead_, 0u);
        std::cout << visits_ << " visits, " << made_ << " nodes\n";
    }

    void Walk()
    {
        for (Node *node = head_; node; node = node->next) {
            met_dead_ += node->says != kAlive;
        }
        visits_++;
    }

    void Visit()
    {
        aiox_lockcnt_inc(&lc_);
        Walk();
        if (aiox_lockcnt_dec_and_lock(&lc_)) {
            Reap();
            aiox_lockcnt_unlock(&lc_);
        }
    }

    /* As a loop, with a nested visit. */
    void VisitOnAndOn()
    {
        aiox_lockcnt_inc(&lc_);
        Walk();
        aiox_lockcnt_inc(&lc_);
        Walk();
        aiox_lockcnt_dec(&lc_);
        if (aiox_lockcnt_dec_if_lock(&lc_)) {
            Reap();
            aiox_lockcnt_inc_and_unlock(&lc_);
        }
        Walk();
        aiox_lockcnt_dec(&lc_);
    }

    void Add()
    {
        auto *node = new Node;
        aiox_lockcnt_lock(&lc_);
        Own();
        made_++;
        node->next = head_.load();
        head_ = node;
        aiox_lockcnt_unlock(&lc_);
    }

    /* Deletes the first that is not yet. */
    void Delete()
    {
        aiox_lockcnt_lock(&lc_);
        Own();
        for (Node *node = head_; node; node = node->next) {
            if (!node->deleted) {
                node->deleted = true;
                break;
            }
        }
        if (aiox_lockcnt_count(&lc_) == 0) {
            Reap();
        }
        aiox_lockcnt_unlock(&lc_);
    }

  private:
    /* Plain: two owners at once lose one, or race. */
    void Own()
    {
        owned_++;
    }

    void Reap()
    {
        Own();
        for (std::atomic<Node *> *link = &head_; Node *node = *link;) {
            if (node->deleted) {
                *link = node->next.load();
                Bury(node);
            } else {
                link = &node->next;
            }
        }
    }

    void Bury(Node *node)
    {
        node->says = kDead;
        buried_++;
        delete node;
    }

    aiox_lockcnt lc_;
    std::atomic<Node *> head_{nullptr};
    std::atomic<uint64_t> met_dead_{0}, visits_{0};
    uint64_t owned_ = 0, made_ = 0, buried_ = 0;
};

TEST(LockcntTorture, NobodyMeetsTheDeadAndNobodyIsForgotten)
{
    List list;
    Deadline deadline;
    std::vector<std::thread> threads;

    for (unsigned i = 0; i < kThreads; i++) {
        threads.emplace_back([&, i] {
            std::minstd_rand random(i + 1);
            while (!deadline.passed()) {
                switch (random() % 8) {
                case 0:
                    list.Add();
                    break;
                case 1:
                    list.Delete();
                    break;
                case 2:
                case 3:
                    list.VisitOnAndOn();
                    break;
                default:
                    list.Visit();
                }
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
}

TEST(LockcntTorture, TheLockExcludesAndEverySleeperIsWoken)
{
    aiox_lockcnt lc;
    aiox_lockcnt_init(&lc);
    uint64_t inside = 0, expected = 0; /* plain */
    std::atomic<uint64_t> all{0};
    Deadline deadline;
    std::vector<std::thread> threads;

    for (unsigned i = 0; i < kThreads; i++) {
        threads.emplace_back([&, i] {
            std::minstd_rand random(i + 1);
            uint64_t mine = 0;
            for (; !deadline.passed(); mine++) {
                aiox_lockcnt_lock(&lc);
                inside++;
                if (random() % 16 == 0) {
                    std::this_thread::yield(); /* with the lock: the others sleep */
                }
                aiox_lockcnt_unlock(&lc);
            }
            all += mine;
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }

    expected = all;
    EXPECT_EQ(inside, expected);
    aiox_lockcnt_fini(&lc);
}

} // namespace
