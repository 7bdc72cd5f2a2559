/* SPDX-License-Identifier: MIT */
/* A program on GLib's main loop, with timeouts and sockets of its own, and our context in it. */
#include <functional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <glib-unix.h>
#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/aio_co.h"
#include "aiox/aio_glib.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"

#include "test/integration/storm.h"

namespace
{

class GlibProgram : public ::testing::Test
{
  protected:
    GlibProgram()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx, &err), 0) << err.message;
        main_ = g_main_context_new();
        loop_ = g_main_loop_new(main_, FALSE);
        EXPECT_EQ(aiox_glib_source_new(&source_, ctx, &err), 0) << err.message;
        g_source_attach(source_, main_);
    }

    ~GlibProgram() override
    {
        g_source_destroy(source_);
        g_source_unref(source_);
        g_main_loop_unref(loop_);
        g_main_context_unref(main_);
        aiox_context_unref(ctx);
    }

    /* Attaches @source, which calls @fn(@opaque), and lets go of it. */
    void Add(GSource *source, GSourceFunc fn, gpointer opaque)
    {
        g_source_set_callback(source, fn, opaque, nullptr);
        g_source_attach(source, main_);
        g_source_unref(source);
    }

    /* The main loop runs until @done, which is asked after each of our turns. */
    void RunUntil(const std::function<bool()> &done)
    {
        struct Until {
            GMainLoop *loop;
            const std::function<bool()> *done;
            static gboolean Turn(gboolean, gpointer self)
            {
                auto *u = static_cast<Until *>(self);
                if ((*u->done)()) {
                    g_main_loop_quit(u->loop);
                }
                return G_SOURCE_CONTINUE;
            }
        } until = {loop_, &done};
        g_source_set_callback(source_, G_SOURCE_FUNC(Until::Turn), &until, nullptr);

        while (!done()) {
            g_main_loop_run(loop_);
        }

        g_source_set_callback(source_, nullptr, nullptr, nullptr);
    }

    aiox_context *ctx = nullptr;
    GMainContext *main_ = nullptr;
    GMainLoop *loop_ = nullptr;
    GSource *source_ = nullptr;
};

TEST_F(GlibProgram, AMillionOperationsAndNoMissedWake)
{
    storm::ExpectStormWeathered(ctx, [&](const auto &done) { RunUntil(done); });
}

constexpr int kRounds = 2000;

/* GLib's side of a socket: what comes in goes back. */
gboolean Echo(gint fd, GIOCondition, gpointer echoed)
{
    char text[64];
    ssize_t n = read(fd, text, sizeof(text));

    EXPECT_GT(n, 0);
    EXPECT_EQ(write(fd, text, static_cast<size_t>(n)), n);
    *static_cast<int *>(echoed) += static_cast<int>(n);
    return G_SOURCE_CONTINUE;
}

/* Our side: a coroutine that says something and waits for the answer. */
struct Talker {
    int fd;
    int answers;
    bool ended;

    static void Talk(void *self) AIOX_NO_THREAD_SAFETY_ANALYSIS
    {
        auto *t = static_cast<Talker *>(self);
        for (int i = 0; i < kRounds; i++) {
            char said = static_cast<char>(i), heard = 0;
            EXPECT_EQ(aiox_co_write_all(t->fd, &said, 1, -1), 1);
            EXPECT_EQ(aiox_co_read_all(t->fd, &heard, 1, -1), 1);
            t->answers += heard == said;
            if (i % 200 == 0) {
                EXPECT_EQ(aiox_co_sleep_ns(AIOX_CLOCK_MONOTONIC, AIOX_NS_PER_US), 0);
            }
        }
        t->ended = true;
    }
};

/* A timer of ours that comes again and again. */
struct Ticker {
    aiox_timer timer;
    int ticks;

    static void Tick(void *self)
    {
        auto *t = static_cast<Ticker *>(self);
        t->ticks++;
        aiox_timer_mod_ns(&t->timer, aiox_clock_now_ns() + AIOX_NS_PER_MS);
    }
};

gboolean Count(gpointer n)
{
    ++*static_cast<int *>(n);
    return G_SOURCE_CONTINUE;
}

TEST_F(GlibProgram, TimeoutsSocketsAndOurHandlersAtOnce)
{
    int ends[2], plain[2], echoed = 0, timeouts = 0, idles = 0, bhs = 0, reads = 0;
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, plain), 0);
    Add(g_unix_fd_source_new(ends[0], G_IO_IN), G_SOURCE_FUNC(Echo), &echoed);
    Add(g_timeout_source_new(1), Count, &timeouts);
    Add(g_idle_source_new(), Count, &idles);
    Talker talker = {ends[1], 0, false};
    aiox_co *co = nullptr;
    ASSERT_EQ(aiox_co_create(&co, nullptr, Talker::Talk, &talker), 0);
    aiox_co_schedule(ctx, co);
    Ticker ticker = {};
    ASSERT_EQ(aiox_timer_init_ns(&ticker.timer, aiox_context_timers(ctx), AIOX_CLOCK_MONOTONIC,
                                 Ticker::Tick, &ticker),
              0);
    aiox_timer_mod_ns(&ticker.timer, 0);
    struct Reader {
        int fd;
        int *reads;
        static void Read(void *self)
        {
            auto *r = static_cast<Reader *>(self);
            char c;
            while (read(r->fd, &c, 1) == 1) {
                ++*r->reads;
            }
        }
    } reader = {plain[1], &reads};
    aiox_fd_handler h = {};
    h.read = Reader::Read;
    ASSERT_EQ(aiox_set_fd_handler(ctx, plain[1], &h, &reader), 0);
    std::thread others([&] {
        for (int i = 0; i < kRounds; i++) {
            EXPECT_EQ(aiox_bh_schedule_oneshot(
                          ctx, "other", [](void *n) { ++*static_cast<int *>(n); }, &bhs),
                      0);
            while (write(plain[0], "x", 1) != 1) {
                std::this_thread::yield();
            }
        }
    });

    RunUntil([&] {
        return talker.ended && bhs == kRounds && reads == kRounds && ticker.ticks >= 10 &&
               timeouts >= 10 && idles > 0;
    });

    others.join();
    EXPECT_EQ(talker.answers, kRounds);
    EXPECT_EQ(echoed, kRounds);
    aiox_clear_fd_handler(ctx, plain[1]);
    aiox_timer_fini(&ticker.timer);
    for (int fd : {ends[0], ends[1], plain[0], plain[1]}) {
        close(fd);
    }
}

} // namespace
