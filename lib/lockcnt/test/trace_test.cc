/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h. */
#include "aiox/lockcnt.h"

#include <gtest/gtest.h>

#include <thread>

#include "test/harness/trace_log.h"

namespace
{
using aiox_test::Number;
using aiox_test::TraceLog;
using aiox_test::TracePoint;

/* One that finds the lock held says that it sleeps; who unlocks, that it wakes. */
TEST(LockcntTrace, ASleepAndItsEnd)
{
    aiox_lockcnt lc;
    aiox_lockcnt_init(&lc);
    TraceLog log("lockcnt");
    std::vector<TracePoint> waits;
    aiox_lockcnt_lock(&lc);
    EXPECT_TRUE(log.Points().empty());

    std::thread other([&] {
        aiox_lockcnt_lock(&lc);
        aiox_lockcnt_unlock(&lc);
    });
    while (waits.empty()) {
        waits = log.Points("wait");
        std::this_thread::yield();
    }
    aiox_lockcnt_unlock(&lc);
    other.join();

    EXPECT_EQ(waits[0].a, Number(&lc));
    EXPECT_NE(waits[0].b, 0u);
    auto wakes = log.Points("wake");
    ASSERT_FALSE(wakes.empty());
    EXPECT_EQ(wakes[0].a, Number(&lc));
    aiox_lockcnt_fini(&lc);
}
} // namespace
