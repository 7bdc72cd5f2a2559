/* SPDX-License-Identifier: MIT */
#include "aiox/list.h"

#include <gtest/gtest.h>

#include <vector>

namespace
{

struct Job {
    int id;
    aiox_list_node link;
    aiox_queue_node queue_link;
};

class ListTest : public ::testing::Test
{
  protected:
    ListTest()
    {
        aiox_list_init(&list_);
        aiox_list_init(&other_);
        for (int i = 0; i < 5; i++) {
            jobs_[i] = Job{i, {}, {}};
        }
    }

    void Fill(aiox_list *list, int first, int last)
    {
        for (int i = first; i <= last; i++) {
            aiox_list_push_back(list, &jobs_[i].link);
        }
    }

    static std::vector<int> Ids(const aiox_list *list)
    {
        std::vector<int> ids;

        AIOX_LIST_FOREACH(job, list, Job, link)
        {
            ids.push_back(job->id);
        }
        return ids;
    }

    // The same, walked from the end: both chains of links tell the same story.
    static std::vector<int> IdsBackwards(const aiox_list *list)
    {
        std::vector<int> ids;

        for (aiox_list_node *n = list->head_.prev_; n != &list->head_; n = n->prev_) {
            ids.insert(ids.begin(), AIOX_CONTAINER_OF(n, Job, link)->id);
        }
        return ids;
    }

    void Expect(const aiox_list *list, const std::vector<int> &ids)
    {
        EXPECT_EQ(Ids(list), ids);
        EXPECT_EQ(IdsBackwards(list), ids);
        EXPECT_EQ(aiox_list_is_empty(list), ids.empty());
    }

    aiox_list list_;
    aiox_list other_;
    Job jobs_[5];
};

TEST_F(ListTest, NewIsEmptyAndHasNoEnds)
{
    Expect(&list_, {});
    EXPECT_EQ(aiox_list_first(&list_), nullptr);
    EXPECT_EQ(aiox_list_last(&list_), nullptr);
    EXPECT_EQ(aiox_list_pop_front(&list_), nullptr);
}

TEST_F(ListTest, KeepsTheOrderOfBothEnds)
{
    aiox_list_push_back(&list_, &jobs_[1].link);
    aiox_list_push_back(&list_, &jobs_[2].link);
    aiox_list_push_front(&list_, &jobs_[0].link);

    Expect(&list_, {0, 1, 2});
    EXPECT_EQ(aiox_list_first(&list_), &jobs_[0].link);
    EXPECT_EQ(aiox_list_last(&list_), &jobs_[2].link);
}

TEST_F(ListTest, InsertsBeforeAnyNode)
{
    Fill(&list_, 0, 1);

    aiox_list_insert_before(&jobs_[1].link, &jobs_[4].link);

    Expect(&list_, {0, 4, 1});
}

TEST_F(ListTest, ANodeKnowsWhetherItIsLinked)
{
    EXPECT_FALSE(aiox_list_is_linked(&jobs_[0].link));

    aiox_list_push_back(&list_, &jobs_[0].link);
    EXPECT_TRUE(aiox_list_is_linked(&jobs_[0].link));

    aiox_list_remove(&jobs_[0].link);
    EXPECT_FALSE(aiox_list_is_linked(&jobs_[0].link));
}

TEST_F(ListTest, RemovesFromTheMiddle)
{
    Fill(&list_, 0, 2);

    aiox_list_remove(&jobs_[1].link);

    Expect(&list_, {0, 2});
}

TEST_F(ListTest, PopTakesTheFirst)
{
    Fill(&list_, 0, 1);

    EXPECT_EQ(aiox_list_pop_front(&list_), &jobs_[0].link);

    Expect(&list_, {1});
    EXPECT_FALSE(aiox_list_is_linked(&jobs_[0].link));
}

TEST_F(ListTest, SpliceAppendsAllAndEmptiesTheSource)
{
    Fill(&list_, 0, 1);
    Fill(&other_, 2, 4);

    aiox_list_splice_back(&list_, &other_);

    Expect(&list_, {0, 1, 2, 3, 4});
    Expect(&other_, {});
}

TEST_F(ListTest, SpliceOfAnEmptyListChangesNothing)
{
    Fill(&list_, 0, 1);

    aiox_list_splice_back(&list_, &other_);

    Expect(&list_, {0, 1});
}

TEST_F(ListTest, SpliceIntoAnEmptyListMovesAll)
{
    Fill(&other_, 0, 2);

    aiox_list_splice_back(&list_, &other_);

    Expect(&list_, {0, 1, 2});
    Expect(&other_, {});
}

TEST_F(ListTest, TheSafeWalkMayRemoveWhatItStandsOn)
{
    std::vector<int> seen;
    Fill(&list_, 0, 3);

    AIOX_LIST_FOREACH_SAFE(job, &list_, Job, link)
    {
        seen.push_back(job->id);
        if (job->id % 2 == 0) {
            aiox_list_remove(&job->link);
        }
    }

    EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3}));
    Expect(&list_, {1, 3});
}

class QueueTest : public ListTest
{
  protected:
    QueueTest()
    {
        aiox_queue_init(&queue_);
        aiox_queue_init(&second_);
    }

    static std::vector<int> PopAll(aiox_queue *queue)
    {
        std::vector<int> ids;

        while (aiox_queue_node *node = aiox_queue_pop(queue)) {
            ids.push_back(AIOX_CONTAINER_OF(node, Job, queue_link)->id);
        }
        return ids;
    }

    void Fill(aiox_queue *queue, int first, int last)
    {
        for (int i = first; i <= last; i++) {
            aiox_queue_push_back(queue, &jobs_[i].queue_link);
        }
    }

    aiox_queue queue_;
    aiox_queue second_;
};

TEST_F(QueueTest, NewIsEmpty)
{
    EXPECT_TRUE(aiox_queue_is_empty(&queue_));
    EXPECT_EQ(aiox_queue_first(&queue_), nullptr);
    EXPECT_EQ(aiox_queue_pop(&queue_), nullptr);
}

TEST_F(QueueTest, FirstInFirstOut)
{
    Fill(&queue_, 0, 2);

    EXPECT_EQ(aiox_queue_first(&queue_), &jobs_[0].queue_link);
    EXPECT_EQ(PopAll(&queue_), (std::vector<int>{0, 1, 2}));
    EXPECT_TRUE(aiox_queue_is_empty(&queue_));
}

TEST_F(QueueTest, WhatIsPushedInFrontComesFirst)
{
    aiox_queue_push_front(&queue_, &jobs_[1].queue_link);
    aiox_queue_push_front(&queue_, &jobs_[0].queue_link);
    aiox_queue_push_back(&queue_, &jobs_[2].queue_link);

    EXPECT_EQ(PopAll(&queue_), (std::vector<int>{0, 1, 2}));
}

TEST_F(QueueTest, CanBeFilledAgainAfterItRanDry)
{
    Fill(&queue_, 0, 0);
    PopAll(&queue_);

    Fill(&queue_, 1, 2);

    EXPECT_EQ(PopAll(&queue_), (std::vector<int>{1, 2}));
}

TEST_F(QueueTest, SplicePutsAllInFront)
{
    Fill(&queue_, 2, 3);
    Fill(&second_, 0, 1);

    aiox_queue_splice_front(&queue_, &second_);
    aiox_queue_push_back(&queue_, &jobs_[4].queue_link);

    EXPECT_TRUE(aiox_queue_is_empty(&second_));
    EXPECT_EQ(PopAll(&queue_), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(QueueTest, SpliceIntoAnEmptyQueueKeepsItsEnd)
{
    Fill(&second_, 0, 1);

    aiox_queue_splice_front(&queue_, &second_);
    aiox_queue_push_back(&queue_, &jobs_[2].queue_link);

    EXPECT_EQ(PopAll(&queue_), (std::vector<int>{0, 1, 2}));
}

/* As who pushes onto the head of a chain leaves it. */
TEST_F(QueueTest, AChainComesTheOtherWayRoundBehindTheRest)
{
    Fill(&queue_, 0, 1);
    jobs_[2].queue_link.next_ = nullptr;
    jobs_[3].queue_link.next_ = &jobs_[2].queue_link;
    jobs_[4].queue_link.next_ = &jobs_[3].queue_link;

    aiox_queue_append_reversed(&queue_, &jobs_[4].queue_link);
    aiox_queue_append_reversed(&queue_, nullptr);
    EXPECT_EQ(queue_.last_, &jobs_[4].queue_link);

    EXPECT_EQ(PopAll(&queue_), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(QueueTest, SpliceOfAnEmptyQueueChangesNothing)
{
    Fill(&queue_, 0, 1);

    aiox_queue_splice_front(&queue_, &second_);

    EXPECT_EQ(PopAll(&queue_), (std::vector<int>{0, 1}));
}

} // namespace
