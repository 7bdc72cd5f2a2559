/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h. */
#include <cerrno>

#include <gtest/gtest.h>

#include "lib/aio_pool/src/pool.h"
#include "lib/aio_pool/test/testing.h"
#include "test/harness/trace_log.h"

namespace
{
using aiox_test::Number;
using aiox_test::TraceLog;
using aiox_test::TracePoint;
using pool_testing::Counter;
using pool_testing::Job;
using pool_testing::Loop;
using Points = std::vector<TracePoint>;

uint64_t CrewOf(aiox_pool *pool)
{
    return Number(&pool->crew);
}

int StartNone(void *(*)(void *), void *)
{
    return -EAGAIN;
}

TEST(PoolTrace, AThreadComesRunsAJobAndLeaves)
{
    Loop loop;
    uint64_t crew = CrewOf(loop);
    Job job([] { return 0; });
    TraceLog log("aio_pool");

    aiox_pool_submit(loop, &job.job);
    aiox_pool_drain(loop);
    loop.End();

    EXPECT_EQ(log.Points(),
              (Points{{"come", crew, 1}, {"run", crew, Number(&job.job)}, {"leave", crew, 0}}));
}

TEST(PoolTrace, WhoRemainIsCounted)
{
    Loop loop;
    uint64_t crew = CrewOf(loop);
    Counter running;
    auto wait_for_both = [&] {
        running.Add();
        running.Await(2);
        return 0;
    };
    Job one(wait_for_both), other(wait_for_both);
    TraceLog log("aio_pool");

    aiox_pool_submit(loop, &one.job);
    aiox_pool_submit(loop, &other.job);
    aiox_pool_drain(loop);
    loop.End();

    EXPECT_EQ(log.Points("leave"), (Points{{"leave", crew, 1}, {"leave", crew, 0}}));
}

TEST(PoolTrace, AThreadThatCannotBeStarted)
{
    Loop loop;
    crew_threads none = crew_threads_;
    none.start = StartNone;
    pool_set_threads_from_(loop, &none);
    Job job([] { return 0; });
    TraceLog log("aio_pool");

    aiox_pool_submit(loop, &job.job);
    aiox_pool_drain(loop);

    EXPECT_EQ(log.Points(), (Points{{"start_failed", CrewOf(loop), EAGAIN}}));
}
} // namespace
