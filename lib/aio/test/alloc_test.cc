/* SPDX-License-Identifier: MIT */
/* A turn allocates nothing; making things fails with -ENOMEM and leaves nothing behind. */
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/clock.h"

extern "C" {
const struct aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);
const struct aiox_fdmon_plugin *aiox_fdmon_epoll(uint32_t index);

/* The linker sends every call of our libraries here (--wrap). */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
static int calls;
static int fail_at; /* the how-manieth call fails; 0: none */

static bool Fails()
{
    return ++calls == fail_at;
}

void *__wrap_malloc(size_t bytes)
{
    return Fails() ? nullptr : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return Fails() ? nullptr : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return Fails() ? nullptr : __real_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return Fails() ? nullptr : __real_aligned_alloc(alignment, bytes);
}
}

namespace
{

class Alloc : public ::testing::TestWithParam<aiox_fdmon_entry_fn *>
{
  protected:
    Alloc()
    {
        linked_in_[0] = GetParam();
        linked_in_[1] = nullptr;
        sources_.linked_in = linked_in_;
        sources_.linked_in_only = true;
    }

    aiox_fdmon_entry_fn *linked_in_[2];
    aiox_backend_sources sources_{};
};

struct Work {
    aiox_context *ctx;
    aiox_bh *bh;
    aiox_timer timer;
    int fd;
    int bhs, timers, reads;
};

TEST_P(Alloc, ATurnAllocatesNothing)
{
    Work w = {};
    ASSERT_EQ(aiox_context_new(&w.ctx, &sources_, nullptr), 0);
    ASSERT_EQ(aiox_bh_new(
                  &w.bh, aiox_context_bhs(w.ctx), "bh",
                  [](void *o) {
                      auto *work = static_cast<Work *>(o);
                      work->bhs++;
                      aiox_bh_schedule(work->bh);
                  },
                  &w),
              0);
    ASSERT_EQ(aiox_timer_init_ns(
                  &w.timer, aiox_context_timers(w.ctx), AIOX_CLOCK_MONOTONIC,
                  [](void *o) {
                      auto *work = static_cast<Work *>(o);
                      work->timers++;
                      aiox_timer_mod_ns(&work->timer, aiox_clock_now_ns());
                  },
                  &w),
              0);
    w.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    aiox_fd_handler h = {};
    h.read = [](void *o) { static_cast<Work *>(o)->reads++; };
    ASSERT_EQ(aiox_set_fd_handler(w.ctx, w.fd, &h, &w), 0);
    aiox_bh_schedule(w.bh);
    aiox_timer_mod_ns(&w.timer, aiox_clock_now_ns());

    int before = calls;
    for (int i = 0; i < 1000; i++) {
        aiox_poll(w.ctx, i % 2 == 0);
    }
    int allocated = calls - before;

    EXPECT_EQ(allocated, 0);
    EXPECT_GE(w.bhs, 1000);
    EXPECT_GE(w.timers, 999);
    EXPECT_GE(w.reads, 1000);
    aiox_clear_fd_handler(w.ctx, w.fd);
    aiox_timer_fini(&w.timer);
    aiox_bh_free(w.bh);
    aiox_context_unref(w.ctx);
    close(w.fd);
}

TEST_P(Alloc, AContextIsMadeWholeOrNotAtAll)
{
    int failures = 0;
    for (int at = 1;; at++) {
        aiox_context *ctx = nullptr;
        aiox_error err = {};
        calls = 0;
        fail_at = at;
        int made = aiox_context_new(&ctx, &sources_, &err);
        fail_at = 0;
        if (made == 0) {
            aiox_context_unref(ctx);
            break;
        }
        failures++;
        EXPECT_EQ(made, -ENOMEM);
        EXPECT_EQ(ctx, nullptr);
        EXPECT_STRNE(err.message, "");
    }
    EXPECT_GT(failures, 1);
}

/* The first few, of low numbers, need no memory: this one is not of them. */
TEST_P(Alloc, AHandlerIsSetOrTheFormerStays)
{
    constexpr int kFirst = 8;
    aiox_context *ctx;
    ASSERT_EQ(aiox_context_new(&ctx, &sources_, nullptr), 0);
    aiox_fd_handler h = {};
    h.read = [](void *o) { ++*static_cast<int *>(o); };
    int reads = 0;
    int failures = 0;
    int others[kFirst];
    for (int &other : others) {
        other = eventfd(0, EFD_CLOEXEC);
        ASSERT_EQ(aiox_set_fd_handler(ctx, other, &h, &reads), 0);
    }
    int low = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = fcntl(low, F_DUPFD_CLOEXEC, 500);
    ASSERT_GE(fd, 500);
    for (int at = 1;; at++) {
        calls = 0;
        fail_at = at;
        int set = aiox_set_fd_handler(ctx, fd, &h, &reads);
        fail_at = 0;
        if (set == 0) {
            break;
        }
        failures++;
        EXPECT_EQ(set, -ENOMEM);
        EXPECT_FALSE(aiox_poll(ctx, false));
    }

    EXPECT_GT(failures, 1);
    EXPECT_TRUE(aiox_poll(ctx, false));
    EXPECT_EQ(reads, 1);
    aiox_context_unref(ctx);
    close(fd);
    close(low);
    for (int other : others) {
        close(other);
    }
}

INSTANTIATE_TEST_SUITE_P(Backend, Alloc, ::testing::Values(aiox_fdmon_poll, aiox_fdmon_epoll),
                         [](const auto &p) { return p.index == 0 ? "Poll" : "Epoll"; });

} // namespace
