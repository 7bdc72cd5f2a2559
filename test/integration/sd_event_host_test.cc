/* SPDX-License-Identifier: MIT */
/* A context as a guest of sd-event. */
#include <cstdint>
#include <functional>
#include <sys/epoll.h>
#include <thread>

#include <gtest/gtest.h>
#include <systemd/sd-event.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"
#include "aiox/foreign.h"

#include "test/integration/storm.h"

namespace
{

/*
 * One descriptor with a function that sd-event calls before it sleeps, and one
 * time. sd-event serves one source per round: between our prepare and our
 * dispatch there may be many rounds, and prepares.
 */
class SdHost
{
  public:
    explicit SdHost(aiox_context *ctx) : ctx_(ctx)
    {
        aiox_error err = {};
        int fd = -1;

        EXPECT_EQ(aiox_foreign_begin(ctx_, &fd, &err), 0) << err.message;
        EXPECT_GE(sd_event_new(&event), 0);
        EXPECT_GE(sd_event_add_io(event, &io_, fd, EPOLLIN, OnReadable, this), 0);
        EXPECT_GE(sd_event_source_set_prepare(io_, OnPrepare), 0);
        EXPECT_GE(sd_event_add_time(event, &time_, CLOCK_MONOTONIC, 0, 1, OnTime, this), 0);
        EXPECT_GE(sd_event_source_set_enabled(time_, SD_EVENT_OFF), 0);
    }

    ~SdHost()
    {
        sd_event_source_disable_unref(io_);
        sd_event_source_disable_unref(time_);
        sd_event_unref(event);
        aiox_foreign_end(ctx_);
    }

    void RunUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            EXPECT_GE(sd_event_run(event, UINT64_MAX), 0);
        }
    }

    sd_event *event = nullptr;

  private:
    static int OnPrepare(sd_event_source *, void *self)
    {
        auto *host = static_cast<SdHost *>(self);
        int64_t timeout_ns = aiox_foreign_prepare(host->ctx_);
        int64_t at_ns = timeout_ns < 0 ? 0 : aiox_clock_now_ns() + timeout_ns;

        if (timeout_ns >= 0) {
            sd_event_source_set_time(host->time_,
                                     static_cast<uint64_t>((at_ns + 999) / AIOX_NS_PER_US));
        }
        return sd_event_source_set_enabled(host->time_,
                                           timeout_ns < 0 ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
    }

    static int OnReadable(sd_event_source *, int, uint32_t, void *self)
    {
        return static_cast<SdHost *>(self)->Serve(true);
    }

    static int OnTime(sd_event_source *, uint64_t, void *self)
    {
        return static_cast<SdHost *>(self)->Serve(false);
    }

    int Serve(bool readable)
    {
        if (aiox_foreign_check(ctx_, readable)) {
            aiox_foreign_dispatch(ctx_);
        }
        return 0;
    }

    aiox_context *ctx_;
    sd_event_source *io_ = nullptr, *time_ = nullptr;
};

class SdEvent : public ::testing::Test
{
  protected:
    SdEvent()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
    }
    ~SdEvent() override
    {
        aiox_context_unref(ctx_);
    }

    aiox_context *ctx_ = nullptr;
};

TEST_F(SdEvent, AMillionOperationsAndNoMissedWake)
{
    SdHost host(ctx_);

    storm::ExpectStormWeathered(ctx_, [&](const auto &done) { host.RunUntil(done); });
}

/* A source that is always ready and served first: our phases come without their dispatch. */
TEST_F(SdEvent, ASourceThatIsAlwaysFirstHoldsUsUpAndNothingIsLost)
{
    struct Busy {
        aiox_context *ctx;
        int left = 500, runs = 0;
        static void Run(void *self)
        {
            static_cast<Busy *>(self)->runs++;
        }
        static int Again(sd_event_source *source, void *self)
        {
            auto *b = static_cast<Busy *>(self);
            EXPECT_EQ(aiox_bh_schedule_oneshot(b->ctx, "held up", Run, b), 0);
            return --b->left > 0 ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
        }
    } busy = {};
    busy.ctx = ctx_;
    SdHost host(ctx_);
    sd_event_source *first = nullptr;
    ASSERT_GE(sd_event_add_defer(host.event, &first, Busy::Again, &busy), 0);
    sd_event_source_set_priority(first, SD_EVENT_PRIORITY_IMPORTANT);
    sd_event_source_set_enabled(first, SD_EVENT_ON);

    host.RunUntil([&] { return busy.left == 1; });
    EXPECT_EQ(busy.runs, 0);
    host.RunUntil([&] { return busy.runs == 500; });

    sd_event_source_disable_unref(first);
}

} // namespace
