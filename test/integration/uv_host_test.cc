/* SPDX-License-Identifier: MIT */
/* A context as a guest of libuv. */
#include <functional>
#include <thread>

#include <gtest/gtest.h>
#include <uv.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"
#include "aiox/foreign.h"

#include "test/integration/storm.h"

namespace
{

/* As docs/foreign-loops.md has it: prepare, poll and timer, check. */
class UvHost
{
  public:
    explicit UvHost(aiox_context *ctx) : ctx_(ctx)
    {
        aiox_error err = {};
        int fd = -1;

        EXPECT_EQ(aiox_foreign_begin(ctx_, &fd, &err), 0) << err.message;
        uv_loop_init(&loop);
        uv_prepare_init(&loop, &prepare_);
        uv_check_init(&loop, &check_);
        uv_timer_init(&loop, &timer_);
        EXPECT_EQ(uv_poll_init(&loop, &poll_, fd), 0);
        prepare_.data = check_.data = poll_.data = this;
        uv_prepare_start(&prepare_, OnPrepare);
        uv_check_start(&check_, OnCheck);
        uv_poll_start(&poll_, UV_READABLE, OnReadable);
    }

    ~UvHost()
    {
        for (uv_handle_t *h :
             {reinterpret_cast<uv_handle_t *>(&prepare_), reinterpret_cast<uv_handle_t *>(&check_),
              reinterpret_cast<uv_handle_t *>(&timer_), reinterpret_cast<uv_handle_t *>(&poll_)}) {
            uv_close(h, nullptr);
        }
        uv_run(&loop, UV_RUN_DEFAULT);
        EXPECT_EQ(uv_loop_close(&loop), 0);
        aiox_foreign_end(ctx_);
    }

    void RunUntil(const std::function<bool()> &done)
    {
        done_ = &done;
        while (!done()) {
            uv_run(&loop, UV_RUN_DEFAULT);
        }
    }

    uv_loop_t loop;

  private:
    static void OnPrepare(uv_prepare_t *h)
    {
        auto *self = static_cast<UvHost *>(h->data);
        int64_t timeout_ns = aiox_foreign_prepare(self->ctx_);

        if (timeout_ns < 0) {
            uv_timer_stop(&self->timer_);
            return;
        }
        uv_update_time(&self->loop);
        uv_timer_start(
            &self->timer_, [](uv_timer_t *) {},
            static_cast<uint64_t>((timeout_ns + AIOX_NS_PER_MS - 1) / AIOX_NS_PER_MS), 0);
    }

    static void OnReadable(uv_poll_t *h, int, int)
    {
        static_cast<UvHost *>(h->data)->readable_ = true;
    }

    static void OnCheck(uv_check_t *h)
    {
        auto *self = static_cast<UvHost *>(h->data);

        if (aiox_foreign_check(self->ctx_, self->readable_)) {
            aiox_foreign_dispatch(self->ctx_);
        }
        self->readable_ = false;
        if ((*self->done_)()) {
            uv_stop(&self->loop);
        }
    }

    aiox_context *ctx_;
    uv_prepare_t prepare_;
    uv_check_t check_;
    uv_timer_t timer_;
    uv_poll_t poll_;
    bool readable_ = false;
    const std::function<bool()> *done_ = nullptr;
};

class Uv : public ::testing::Test
{
  protected:
    /* The first loop of a process opens a pipe for signals that stays. */
    static void SetUpTestSuite()
    {
        uv_loop_t first;
        uv_loop_init(&first);
        uv_loop_close(&first);
    }

    Uv()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
    }
    ~Uv() override
    {
        aiox_context_unref(ctx_);
    }

    aiox_context *ctx_ = nullptr;
};

TEST_F(Uv, AMillionOperationsAndNoMissedWake)
{
    UvHost host(ctx_);

    storm::ExpectStormWeathered(ctx_, [&](const auto &done) { host.RunUntil(done); });
}

/* libuv's own guests and ours, each waking the other. */
TEST_F(Uv, TheContextIsOneGuestAmongOthers)
{
    constexpr int kRounds = 2000;
    struct Table {
        aiox_context *ctx;
        uv_async_t async;
        uv_timer_t timer;
        int served = 0, returned = 0, ticks = 0;
        static void Return(void *self)
        {
            auto *t = static_cast<Table *>(self);
            t->returned++;
            uv_async_send(&t->async);
        }
    } table = {};
    table.ctx = ctx_;
    UvHost host(ctx_);
    uv_async_init(&host.loop, &table.async, [](uv_async_t *h) {
        auto *t = static_cast<Table *>(h->data);
        if (t->served++ < kRounds) {
            EXPECT_EQ(aiox_bh_schedule_oneshot(t->ctx, "return", Table::Return, t), 0);
        }
    });
    table.async.data = &table;
    uv_timer_init(&host.loop, &table.timer);
    table.timer.data = &table;
    uv_timer_start(
        &table.timer, [](uv_timer_t *h) { static_cast<Table *>(h->data)->ticks++; }, 1, 1);

    std::thread serve([&] { uv_async_send(&table.async); });
    host.RunUntil([&] { return table.returned == kRounds && table.ticks > 0; });
    serve.join();

    EXPECT_EQ(table.returned, kRounds);
    uv_close(reinterpret_cast<uv_handle_t *>(&table.async), nullptr);
    uv_close(reinterpret_cast<uv_handle_t *>(&table.timer), nullptr);
}

} // namespace
