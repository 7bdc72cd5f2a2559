/* SPDX-License-Identifier: MIT */
/* file_test.cc - files on every backend: same results, whoever serves. */
#include <deque>

#include <linux/falloc.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aiox/aio_pool.h"
#include "lib/aio_file/test/testing.h"

namespace
{
using file_testing::File;
using file_testing::Loop;
using file_testing::Pattern;
using file_testing::Pread;
using file_testing::Preadv;
using file_testing::Pwrite;
using file_testing::Pwritev;
using file_testing::Request;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr unsigned kNoRing = 1u << AIOX_FILE_RING;
constexpr unsigned kNoInline = 1u << AIOX_FILE_INLINE;

aiox_file_options Avoid(unsigned engines)
{
    aiox_file_options options = {};
    options.avoid = engines;
    return options;
}

class FileTest : public ::testing::Test
{
  protected:
    /* What this backend's context has for a file that is not O_DIRECT. */
    aiox_file_engine Expected()
    {
        return aiox_has_completion(loop_) ? AIOX_FILE_RING : AIOX_FILE_POOL;
    }

    Loop loop_;
};

/* ---- which engine ---- */

TEST_F(FileTest, TheEngineIsTheBestThatTheContextHasAndItSaysWhy)
{
    File file(loop_);
    aiox_file_choice choice;

    aiox_file_explain(&file, AIOX_FILE_WRITE, &choice);

    EXPECT_EQ(choice.engine, Expected());
    if (Expected() == AIOX_FILE_RING) {
        EXPECT_STREQ(choice.why, "ring: the backend 'io_uring' takes the operation");
    } else {
        EXPECT_THAT(choice.why, StartsWith("pool: the backend '"));
        EXPECT_THAT(choice.why, HasSubstr("takes no requests; the file is not O_DIRECT"));
    }
}

TEST_F(FileTest, AnEngineCanBeAvoided)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    aiox_file_choice choice;
    aiox_file_engine engine = AIOX_FILE_NO_ENGINE;
    iovec iov = {const_cast<char *>("x"), 1};

    aiox_file_explain(&file, AIOX_FILE_WRITE, &choice);
    loop_.Run([&] { EXPECT_EQ(Pwritev(&file, &iov, 1, 0, 0, &engine), 1); });

    EXPECT_EQ(choice.engine, AIOX_FILE_POOL);
    EXPECT_THAT(choice.why, HasSubstr("the ring is to be avoided"));
    EXPECT_EQ(engine, AIOX_FILE_POOL);
}

TEST_F(FileTest, ACachedReadNeedsNobody)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    file.Fill(Pattern(5000));
    char text[5000];
    iovec iov = {text, sizeof(text)};
    if (preadv2(file.fd(), &iov, 1, 0, RWF_NOWAIT) != 5000) {
        GTEST_SKIP() << "this file system does not tell what is cached";
    }
    aiox_file_engine engine = AIOX_FILE_NO_ENGINE;

    loop_.Run([&] { EXPECT_EQ(Preadv(&file, &iov, 1, 0, 0, &engine), 5000); });

    EXPECT_EQ(engine, AIOX_FILE_INLINE);
    EXPECT_EQ(std::string(text, sizeof(text)), Pattern(5000));
    EXPECT_EQ(aiox_file_served(&file, AIOX_FILE_INLINE), 1U);
    EXPECT_EQ(aiox_file_served(&file, AIOX_FILE_POOL), 0U);
}

TEST_F(FileTest, ALargeReadIsLeftToThePool)
{
    aiox_file_options options = Avoid(kNoRing);
    options.inline_max_bytes = 4096;
    File file(loop_, O_RDWR, options);
    file.Fill(Pattern(5000));
    char text[5000];
    iovec iov = {text, sizeof(text)};
    aiox_file_engine engine = AIOX_FILE_NO_ENGINE;

    loop_.Run([&] { EXPECT_EQ(Preadv(&file, &iov, 1, 0, 0, &engine), 5000); });

    EXPECT_EQ(engine, AIOX_FILE_POOL);
}

TEST_F(FileTest, TryAnswersAtOnceOrSaysThatItWouldTakeLonger)
{
    File file(loop_);
    file.Fill(Pattern(100));
    Request r(AIOX_FILE_READ, 0, 200);

    int64_t n = aiox_file_try(&file, &r.request);

    EXPECT_TRUE(n == 100 || n == -EAGAIN) << n;
    EXPECT_EQ(r.told, 0);
    if (n == -EAGAIN) {
        aiox_file_submit(&file, &r.request);
        loop_.RunUntil([&] { return r.told > 0; });
        n = r.result;
    }
    EXPECT_EQ(n, 100);
    EXPECT_EQ(std::string(r.buffer.data(), 100), Pattern(100));
}

/* ---- reading and writing ---- */

TEST_F(FileTest, WhatIsWrittenIsReadAndSaysWhoServed)
{
    File file(loop_, O_RDWR, Avoid(kNoInline));
    std::string text = Pattern(100000);
    std::string read(100000, 0);
    iovec out[2] = {{text.data(), 30000}, {text.data() + 30000, 70000}};
    iovec in[3] = {{read.data(), 1}, {read.data() + 1, 0}, {read.data() + 1, 99999}};
    aiox_file_engine wrote = AIOX_FILE_NO_ENGINE, got = AIOX_FILE_NO_ENGINE;

    loop_.Run([&] {
        EXPECT_EQ(Pwritev(&file, out, 2, 10, 0, &wrote), 100000);
        EXPECT_EQ(Preadv(&file, in, 3, 10, 0, &got), 100000);
    });

    EXPECT_EQ(read, text);
    EXPECT_EQ(wrote, Expected());
    EXPECT_EQ(got, Expected());
}

TEST_F(FileTest, AReadEndsAtTheEndOfTheFile)
{
    File file(loop_);
    file.Fill("12345");
    char text[10];

    loop_.Run([&] {
        EXPECT_EQ(Pread(&file, text, 10, 2), 3);
        EXPECT_EQ(Pread(&file, text, 10, 5), 0);
        EXPECT_EQ(Pread(&file, text, 0, 0), 0);
    });

    EXPECT_EQ(std::string(text, 3), "345");
}

TEST_F(FileTest, MoreBuffersThanOneCallTakesAreNoMatter)
{
    std::string text = Pattern(9000);
    for (unsigned avoid : {0U, kNoRing, kNoRing | kNoInline}) {
        File file(loop_, O_RDWR, Avoid(avoid));
        std::string read(text.size(), 0);
        std::vector<iovec> out, in;
        for (size_t i = 0; i < text.size(); i += 3) {
            out.push_back({text.data() + i, 3});
            in.push_back({read.data() + i, 3});
        }

        loop_.Run([&] {
            EXPECT_EQ(Pwritev(&file, out.data(), 3000, 0), 9000);
            EXPECT_EQ(Preadv(&file, in.data(), 3000, 0), 9000);
        });

        EXPECT_EQ(read, text);
    }
}

TEST_F(FileTest, ErrorsAreThoseOfTheSystemCalls)
{
    File file(loop_, O_WRONLY);
    aiox_file full, none;
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    char c = 0;
    ASSERT_EQ(aiox_file_init(&full, loop_, fd, nullptr), 0);

    loop_.Run([&] {
        EXPECT_EQ(Pread(&file, &c, 1, 0), -EBADF);
        EXPECT_EQ(Pwrite(&full, &c, 1, 0), -ENOSPC);
    });

    EXPECT_EQ(aiox_file_init(&none, loop_, -1, nullptr), -EBADF);
    aiox_file_fini(&full);
    close(fd);
}

TEST_F(FileTest, AllZeroIsValidToFini)
{
    aiox_file nothing = {};

    aiox_file_fini(&nothing);
}

TEST_F(FileTest, AWriteCanAppend)
{
    File file(loop_);
    file.Fill("123");
    iovec iov = {const_cast<char *>("45"), 2};

    loop_.Run([&] { EXPECT_EQ(Pwritev(&file, &iov, 1, 0, RWF_APPEND), 2); });

    EXPECT_EQ(file.Text(), "12345");
}

/* ---- the others ---- */

int Sync(aiox_file *f, bool data, aiox_file_engine *engine) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return data ? aiox_co_fdatasync(f, engine) : aiox_co_fsync(f, engine);
}

TEST_F(FileTest, SyncIsServedByTheSameEngines)
{
    for (unsigned avoid : {0U, kNoRing}) {
        File file(loop_, O_RDWR, Avoid(avoid));
        for (bool data : {false, true}) {
            aiox_file_engine engine = AIOX_FILE_NO_ENGINE;

            loop_.Run([&] { EXPECT_EQ(Sync(&file, data, &engine), 0); });

            EXPECT_EQ(engine, avoid ? AIOX_FILE_POOL : Expected());
        }
    }
}

int Fallocate(aiox_file *f, int mode, int64_t offset, int64_t length) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_fallocate(f, mode, offset, length, nullptr);
}
int Discard(aiox_file *f, int64_t offset, int64_t length) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_discard(f, offset, length, nullptr);
}

TEST_F(FileTest, AllocateGrowsAFileAndDiscardMakesAHole)
{
    for (unsigned avoid : {0U, kNoRing}) {
        File file(loop_, O_RDWR, Avoid(avoid));
        file.Fill(std::string(8192, 'x'));
        int grown = 1, hole = 1, nonsense = 1;

        loop_.Run([&] {
            grown = Fallocate(&file, 0, 0, 16384);
            hole = Discard(&file, 4096, 4096);
            nonsense = Fallocate(&file, 0, 0, 0);
        });

        if (grown == -EOPNOTSUPP || hole == -EOPNOTSUPP) {
            GTEST_SKIP() << "this file system cannot";
        }
        EXPECT_EQ(grown, 0);
        EXPECT_EQ(hole, 0);
        EXPECT_EQ(nonsense, -EINVAL);
        EXPECT_EQ(file.Text(), std::string(4096, 'x') + std::string(12288, 0));
    }
}

ssize_t Copy(aiox_file *f, int64_t offset, int to_fd, int64_t to_offset,
             int64_t length) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_copy_range(f, offset, to_fd, to_offset, length);
}

TEST_F(FileTest, CopyEndsAtTheEndOfTheFile)
{
    File from(loop_), to(loop_);
    from.Fill("0123456789");
    ssize_t n = 0;

    loop_.Run([&] { n = Copy(&from, 5, to.fd(), 0, 100); });

    if (n == -EXDEV || n == -EOPNOTSUPP || n == -EINVAL) {
        GTEST_SKIP() << "this file system cannot";
    }
    EXPECT_EQ(n, 5);
    EXPECT_EQ(to.Text(), "56789");
}

int OpenAt(const char *path, int flags) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_openat(AT_FDCWD, path, flags, 0600);
}
int Close(int fd) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_close(fd);
}
int Statx(int fd, struct statx *out) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, out);
}

TEST_F(FileTest, OpenStatAndCloseAreCallsOfACoroutine)
{
    std::string dir = ::testing::TempDir();
    struct statx st = {};

    loop_.Run([&] {
        int fd = OpenAt(dir.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(write(fd, "123", 3), 3);
        EXPECT_EQ(Statx(fd, &st), 0);
        EXPECT_EQ(Close(fd), 0);
        EXPECT_EQ(Close(fd), -EBADF);
        EXPECT_EQ(OpenAt("/nowhere/at/all", O_RDONLY), -ENOENT);
    });

    EXPECT_EQ(st.stx_size, 3U);
}

TEST_F(FileTest, AFileThatIsNotDirectTakesAnyAlignment)
{
    File file(loop_);
    uint32_t memory = 0, offset = 0;

    aiox_file_alignment(&file, &memory, &offset);

    EXPECT_EQ(memory, 1U);
    EXPECT_EQ(offset, 1U);
}

/* ---- requests ---- */

TEST_F(FileTest, NobodyIsToldInsideSubmit)
{
    for (unsigned avoid : {0U, kNoRing, kNoRing | kNoInline}) {
        File file(loop_, O_RDWR, Avoid(avoid));
        file.Fill(Pattern(100));
        Request r(AIOX_FILE_READ, 0, 100);

        aiox_file_submit(&file, &r.request);

        EXPECT_EQ(r.told, 0);
        loop_.RunUntil([&] { return r.told > 0; });
        EXPECT_EQ(r.result, 100);
    }
}

TEST_F(FileTest, ThousandsAtOnceAreAllServedWhateverTheRingTakes)
{
    for (unsigned avoid : {kNoInline, kNoRing, kNoRing | kNoInline}) {
        File file(loop_, O_RDWR, Avoid(avoid));
        file.Fill(Pattern(4000));
        std::deque<Request> requests;
        int told = 0;
        for (int i = 0; i < 4000; i++) {
            requests.emplace_back(AIOX_FILE_READ, i, 1);
            requests.back().when_told = [&] { told++; };
            aiox_file_submit(&file, &requests.back().request);
        }

        loop_.RunUntil([&] { return told == 4000; });

        uint64_t served = 0;
        for (int e = 0; e < AIOX_FILE_ENGINES; e++) {
            served += aiox_file_served(&file, static_cast<aiox_file_engine>(e));
        }
        EXPECT_EQ(served, 4000U);
        std::string text = Pattern(4000);
        for (int i = 0; i < 4000; i++) {
            ASSERT_EQ(requests[i].result, 1);
            ASSERT_EQ(requests[i].buffer[0], text[i]);
        }
    }
}

TEST_F(FileTest, WhoIsToldMayTurnTheLoopAndWaitForAnother)
{
    for (unsigned avoid : {0U, kNoRing, kNoRing | kNoInline}) {
        File file(loop_, O_RDWR, Avoid(avoid));
        file.Fill(Pattern(10));
        Request a(AIOX_FILE_READ, 0, 1), b(AIOX_FILE_READ, 1, 1), c(AIOX_FILE_READ, 2, 1);
        auto wait_for_others = [&] {
            loop_.RunUntil([&] { return a.told + b.told + c.told == 3; });
        };
        a.when_told = b.when_told = c.when_told = wait_for_others;
        for (Request *r : {&a, &b, &c}) {
            aiox_file_submit(&file, &r->request);
        }

        wait_for_others();

        EXPECT_EQ(a.result + b.result + c.result, 3);
    }
}

TEST_F(FileTest, AFileThatIsAlwaysCachedStarvesNobody)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    file.Fill(Pattern(10));
    bool stop = false;
    Request r(AIOX_FILE_READ, 0, 10);
    r.when_told = [&] {
        if (!stop) {
            aiox_file_submit(&file, &r.request);
        }
    };
    aiox_file_submit(&file, &r.request);
    loop_.RunUntil([&] { return r.told > 0; });

    ASSERT_EQ(aiox_bh_schedule_oneshot(
                  loop_, "stops it", [](void *flag) { *static_cast<bool *>(flag) = true; }, &stop),
              0);
    loop_.RunUntil([&] { return stop; });

    loop_.RunUntil([&] { return aiox_file_in_flight(&file) == 0; });
    EXPECT_EQ(r.result, 10);
}

TEST_F(FileTest, ACancelledRequestIsToldOfOnce)
{
    for (unsigned avoid : {0U, kNoRing}) {
        File file(loop_, O_RDWR, Avoid(avoid));
        Request r(AIOX_FILE_WRITE, 0, 100, 'x');

        aiox_file_submit(&file, &r.request);
        aiox_file_cancel(&r.request);
        loop_.RunUntil([&] { return r.told > 0; });

        EXPECT_TRUE(r.result == 100 || r.result == -ECANCELED) << r.result;
    }
}

TEST_F(FileTest, ACancelledRequestThatWaitsForAThreadIsNotServed)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    int pipe_fds[2];
    aiox_pool *pool;
    ASSERT_EQ(pipe(pipe_fds), 0);
    ASSERT_EQ(aiox_pool_get(&pool, loop_), 0);
    ASSERT_EQ(aiox_pool_set_threads(pool, 0, 1), 0);
    aiox_pool_job blocker = {};
    blocker.run = [](void *fd) {
        char c;
        return static_cast<int>(read(*static_cast<int *>(fd), &c, 1));
    };
    blocker.opaque = &pipe_fds[0];
    aiox_pool_submit(pool, &blocker);
    Request r(AIOX_FILE_WRITE, 0, 100, 'x');

    aiox_file_submit(&file, &r.request);
    aiox_file_cancel(&r.request);
    loop_.RunUntil([&] { return r.told > 0; });

    EXPECT_EQ(r.result, -ECANCELED);
    EXPECT_EQ(file.Text(), "");
    EXPECT_EQ(write(pipe_fds[1], "x", 1), 1);
    aiox_pool_drain(pool);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

class FileDeathTest : public co_testing::DeathTest
{
};

TEST_F(FileDeathTest, AFileDoesNotEndWhileARequestIsUnderWay)
{
    EXPECT_DEATH(
        {
            Loop loop;
            File file(loop);
            Request r(AIOX_FILE_WRITE, 0, 100, 'x');
            aiox_file_submit(&file, &r.request);
            aiox_file_fini(&file);
        },
        "in_flight_ == 0");
}
} // namespace
