/* SPDX-License-Identifier: MIT */
/*
 * fault_test.cc - short, interrupted and refused steps come to the same result.
 *
 * The linker leads the system calls of reading and writing, and aiox_submit(),
 * to this file (--wrap).
 */
#include <atomic>
#include <deque>
#include <mutex>
#include <string>

#include <sys/uio.h>

#include <gtest/gtest.h>

#include "lib/aio_file/test/testing.h"

extern "C" {
ssize_t __real_preadv2(int fd, const iovec *iov, int count, off_t offset, int flags);
ssize_t __real_pwritev2(int fd, const iovec *iov, int count, off_t offset, int flags);
int __real_aiox_submit(aiox_context *ctx, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c);
ssize_t __wrap_preadv2(int fd, const iovec *iov, int count, off_t offset, int flags);
ssize_t __wrap_pwritev2(int fd, const iovec *iov, int count, off_t offset, int flags);
int __wrap_aiox_submit(aiox_context *ctx, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c);
}

namespace
{
using file_testing::File;
using file_testing::Loop;
using file_testing::Pattern;
using file_testing::Preadv;
using file_testing::Pwritev;
using file_testing::Request;

/* What the next calls do: an errno, or at most so many bytes. Then they do as they are told. */
struct Script {
    std::mutex lock;
    std::deque<int> steps; /* -errno, or a number of bytes */
    std::atomic<int> calls{0};

    void Set(std::deque<int> next)
    {
        std::lock_guard<std::mutex> hold(lock);
        steps = std::move(next);
        calls = 0;
    }
    int Next()
    {
        std::lock_guard<std::mutex> hold(lock);
        calls++;
        if (steps.empty()) {
            return INT32_MAX;
        }
        int step = steps.front();
        steps.pop_front();
        return step;
    }
};

Script g_script;
std::atomic<int> g_refused_submits{0};
std::atomic<int> g_submits{0};

template <typename Call>
ssize_t Act(Call call, int fd, const iovec *iov, int count, off_t offset, int flags)
{
    int step = g_script.Next();
    if (step < 0) {
        errno = -step;
        return -1;
    }
    if (step == INT32_MAX || count == 0) {
        return call(fd, iov, count, offset, flags);
    }
    iovec first = iov[0];
    first.iov_len = std::min(first.iov_len, static_cast<size_t>(step));
    return step == 0 ? 0 : call(fd, &first, 1, offset, flags);
}
} // namespace

ssize_t __wrap_preadv2(int fd, const iovec *iov, int count, off_t offset, int flags)
{
    return Act(__real_preadv2, fd, iov, count, offset, flags);
}

ssize_t __wrap_pwritev2(int fd, const iovec *iov, int count, off_t offset, int flags)
{
    return Act(__real_pwritev2, fd, iov, count, offset, flags);
}

int __wrap_aiox_submit(aiox_context *ctx, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c)
{
    g_submits++;
    if (g_refused_submits > 0) {
        g_refused_submits--;
        return -EAGAIN;
    }
    return __real_aiox_submit(ctx, prepare, opaque, c);
}

namespace
{
constexpr unsigned kNoRing = 1u << AIOX_FILE_RING;
constexpr unsigned kNoInline = 1u << AIOX_FILE_INLINE;

class FileFault : public ::testing::Test
{
  protected:
    ~FileFault() override
    {
        g_script.Set({});
        g_refused_submits = 0;
    }
    static aiox_file_options Avoid(unsigned engines)
    {
        aiox_file_options options = {};
        options.avoid = engines;
        return options;
    }
    ssize_t Write(File &file, std::string text, int flags = 0)
    {
        iovec iov[2] = {{text.data(), 5}, {text.data() + 5, text.size() - 5}};
        ssize_t n = 0;
        loop_.Run([&] { n = Pwritev(&file, iov, 2, 0, flags); });
        return n;
    }
    ssize_t Read(File &file, std::string *text, aiox_file_engine *engine = nullptr, int flags = 0)
    {
        iovec iov[2] = {{text->data(), 5}, {text->data() + 5, text->size() - 5}};
        ssize_t n = 0;
        loop_.Run([&] { n = Preadv(&file, iov, 2, 0, flags, engine); });
        return n;
    }

    Loop loop_;
};

TEST_F(FileFault, AShortOrInterruptedWriteGoesOnUntilAllIsWritten)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    g_script.Set({3, -EINTR, 1, 4, -EINTR, -EINTR});

    EXPECT_EQ(Write(file, Pattern(100)), 100);

    EXPECT_EQ(g_script.calls, 7);
    EXPECT_EQ(file.Text(), Pattern(100));
}

TEST_F(FileFault, AShortOrInterruptedReadGoesOnUntilTheEnd)
{
    File file(loop_, O_RDWR, Avoid(kNoRing | kNoInline));
    file.Fill(Pattern(100));
    std::string text(200, 0);
    g_script.Set({2, -EINTR, 1, 2, 50});

    EXPECT_EQ(Read(file, &text), 100);

    EXPECT_EQ(text.substr(0, 100), Pattern(100));
}

TEST_F(FileFault, WhatIsCachedIsReadInlineAndTheRestByThePool)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    file.Fill(Pattern(100));
    std::string text(100, 0);
    aiox_file_engine engine;
    g_script.Set({4});

    EXPECT_EQ(Read(file, &text, &engine), 100);

    EXPECT_EQ(text, Pattern(100));
    EXPECT_EQ(engine, AIOX_FILE_POOL);
    EXPECT_EQ(g_script.calls, 3) << "inline, the rest of the first buffer, the second";
}

TEST_F(FileFault, WhatIsNotCachedIsReadByThePool)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    file.Fill(Pattern(100));
    std::string text(100, 0);
    aiox_file_engine engine;
    g_script.Set({-EAGAIN});

    EXPECT_EQ(Read(file, &text, &engine), 100);

    EXPECT_EQ(engine, AIOX_FILE_POOL);
}

TEST_F(FileFault, AFileSystemThatCannotTellIsAskedOnce)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    file.Fill(Pattern(100));
    std::string text(100, 0);
    g_script.Set({-EOPNOTSUPP});

    EXPECT_EQ(Read(file, &text), 100);
    EXPECT_EQ(Read(file, &text), 100);

    EXPECT_EQ(g_script.calls, 3);
}

TEST_F(FileFault, BeforeARingInlineIsTriedEverLessOftenWhileItMisses)
{
    aiox_file_options options = {};
    options.inline_first = true;
    File file(loop_, O_RDWR, options);
    file.Fill(Pattern(100));
    std::string text(100, 0);
    std::vector<int> tries;

    for (int i = 0; i < 200; i++) {
        g_script.Set({-EAGAIN});
        EXPECT_EQ(Read(file, &text), 100);
        if (g_script.calls > 0) {
            tries.push_back(i);
        }
    }

    if (aiox_has_completion(loop_)) { /* 1, 2, 4, ... 64 go by behind each */
        EXPECT_EQ(tries, (std::vector<int>{0, 2, 5, 10, 19, 36, 69, 134, 199}));
    } else { /* a thread costs so much more that it always pays */
        EXPECT_EQ(tries.size(), 200U);
    }
}

TEST_F(FileFault, AHitEndsThatInlineIsTriedLessOften)
{
    if (!aiox_has_completion(loop_)) {
        GTEST_SKIP() << "this backend has no ring";
    }
    aiox_file_options options = {};
    options.inline_first = true;
    File file(loop_, O_RDWR, options);
    file.Fill(Pattern(100));
    std::string text(100, 0);
    std::vector<aiox_file_engine> engines;
    auto read = [&](std::deque<int> script) {
        engines.push_back(AIOX_FILE_NO_ENGINE);
        g_script.Set(std::move(script));
        EXPECT_EQ(Read(file, &text, &engines.back()), 100);
    };
    for (int i = 0; i < 6; i++) { /* tries and misses at 0, 2 and 5: four go by */
        read({-EAGAIN});
    }

    engines.clear();
    for (int i = 0; i < 5; i++) {
        read({});
    }
    read({-EAGAIN});
    read({});
    read({});

    constexpr auto kRing = AIOX_FILE_RING, kInline = AIOX_FILE_INLINE;
    EXPECT_EQ(engines, (std::vector<aiox_file_engine>{kRing, kRing, kRing, kRing, kInline, kRing,
                                                      kRing, kInline}));
    EXPECT_EQ(text, Pattern(100));
}

TEST_F(FileFault, AWriteThatFailsHalfwayIsAnError)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    g_script.Set({5, -ENOSPC});

    EXPECT_EQ(Write(file, Pattern(100)), -ENOSPC);
}

TEST_F(FileFault, AWriteThatWritesNothingIsAnError)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    g_script.Set({5, 0});

    EXPECT_EQ(Write(file, Pattern(100)), -EIO);
}

TEST_F(FileFault, WhoWillNotWaitGetsWhatThereIs)
{
    File file(loop_, O_RDWR, Avoid(kNoRing | kNoInline));
    file.Fill(Pattern(100));
    std::string text(100, 0);

    g_script.Set({-EAGAIN});
    EXPECT_EQ(Read(file, &text, nullptr, RWF_NOWAIT), -EAGAIN);
    g_script.Set({3});
    ssize_t n = Read(file, &text, nullptr, RWF_NOWAIT);

    EXPECT_TRUE(n == 3 || n == -EOPNOTSUPP) << n;
    EXPECT_EQ(g_script.calls, 1);
}

TEST_F(FileFault, AFullRingIsNoMatter)
{
    if (!aiox_has_completion(loop_)) {
        GTEST_SKIP() << "this backend has no ring";
    }
    File file(loop_, O_RDWR, Avoid(kNoInline));
    aiox_file_engine engine;
    std::string text(100, 0);
    file.Fill(Pattern(100));
    g_refused_submits = 1;

    EXPECT_EQ(Read(file, &text, &engine), 100);
    EXPECT_EQ(engine, AIOX_FILE_POOL);
    EXPECT_EQ(Read(file, &text, &engine), 100);

    EXPECT_EQ(engine, AIOX_FILE_RING);
    EXPECT_EQ(text, Pattern(100));
}

TEST_F(FileFault, WithoutARingNothingIsSubmittedToOne)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    g_submits = 0;

    EXPECT_EQ(Write(file, Pattern(100)), 100);

    EXPECT_EQ(g_submits, 0);
}

/* Somebody cancels the ring's request, which looks as if the ring was lost. */
TEST_F(FileFault, ARingThatIsLostIsDoneWithout)
{
    if (!aiox_has_completion(loop_)) {
        GTEST_SKIP() << "this backend has no ring";
    }
    File file(loop_, O_RDWR, Avoid(kNoInline));
    Request r(AIOX_FILE_WRITE, 0, 100, 'x');

    aiox_file_submit(&file, &r.request);
    ASSERT_EQ(aiox_submit_cancel(loop_, &r.request.ring_), 0); /* not by aiox_file_cancel() */
    loop_.RunUntil([&] { return r.told > 0; });

    EXPECT_EQ(r.result, 100);
    EXPECT_EQ(file.Text(), std::string(100, 'x'));
}
} // namespace
