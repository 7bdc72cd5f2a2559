/* SPDX-License-Identifier: MIT */
/* direct_test.cc - O_DIRECT, native AIO, and kernels that deny one or the other. */
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aiox/linux_aio.h"
#include "lib/aio_file/test/testing.h"

namespace
{
using file_testing::File;
using file_testing::Loop;
using file_testing::Preadv;
using file_testing::Pwritev;
using file_testing::Request;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr size_t kBlock = 4096;
constexpr unsigned kNoRing = 1u << AIOX_FILE_RING;

aiox_file_options Avoid(unsigned engines)
{
    aiox_file_options options = {};
    options.avoid = engines;
    return options;
}

/* Memory as O_DIRECT wants it. */
class Pages
{
  public:
    explicit Pages(size_t bytes, char fill = 0)
        : memory_(static_cast<char *>(aligned_alloc(kBlock, bytes)), &free)
    {
        memset(memory_.get(), fill, bytes);
        iov_ = {memory_.get(), bytes};
    }
    char *get() const
    {
        return memory_.get();
    }
    const iovec *iov() const
    {
        return &iov_;
    }

  private:
    std::unique_ptr<char, decltype(&free)> memory_;
    iovec iov_;
};

bool HasNativeAio(aiox_context *ctx)
{
    aiox_linux_aio *aio;
    return aiox_linux_aio_get(&aio, ctx) == 0;
}

class Direct : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        if (file_.error() == -EINVAL || file_.error() == -EOPNOTSUPP) {
            GTEST_SKIP() << "the file system of " << ::testing::TempDir() << " has no O_DIRECT";
        }
        ASSERT_EQ(file_.error(), 0);
    }
    void NeedNativeAio()
    {
        if (!HasNativeAio(loop_)) {
            GTEST_SKIP() << "no native AIO here";
        }
    }

    Loop loop_;
    File file_{loop_, O_RDWR | O_DIRECT, Avoid(kNoRing)};
};

TEST_F(Direct, WithoutARingItIsNativeAioThatServes)
{
    NeedNativeAio();
    aiox_file_choice choice;
    Pages out(2 * kBlock, 'x'), in(2 * kBlock);
    aiox_file_engine wrote = AIOX_FILE_NO_ENGINE, read = AIOX_FILE_NO_ENGINE;

    aiox_file_explain(&file_, AIOX_FILE_READ, &choice);
    loop_.Run([&] {
        EXPECT_EQ(Pwritev(&file_, out.iov(), 1, kBlock, 0, &wrote), ssize_t{2 * kBlock});
        EXPECT_EQ(Preadv(&file_, in.iov(), 1, kBlock, 0, &read), ssize_t{2 * kBlock});
    });

    EXPECT_EQ(choice.engine, AIOX_FILE_LINUX_AIO);
    EXPECT_THAT(choice.why,
                StartsWith("linux_aio: the ring is to be avoided; the file is O_DIRECT"));
    EXPECT_EQ(wrote, AIOX_FILE_LINUX_AIO);
    EXPECT_EQ(read, AIOX_FILE_LINUX_AIO);
    EXPECT_EQ(memcmp(in.get(), out.get(), 2 * kBlock), 0);
}

TEST_F(Direct, EveryEngineReadsUpToAnEndThatIsNotAligned)
{
    for (unsigned avoid : {0U, kNoRing, kNoRing | 1u << AIOX_FILE_LINUX_AIO}) {
        File file(loop_, O_RDWR | O_DIRECT, Avoid(avoid));
        Pages in(4 * kBlock), out(2 * kBlock, 'y');
        ssize_t n = 0, at_end = -1;
        ASSERT_EQ(pwritev(file.fd(), out.iov(), 1, 0), ssize_t{2 * kBlock});
        ASSERT_EQ(ftruncate(file.fd(), kBlock + 100), 0);

        loop_.Run([&] {
            n = Preadv(&file, in.iov(), 1, 0);
            at_end = Preadv(&file, in.iov(), 1, 2 * kBlock);
        });

        EXPECT_EQ(n, ssize_t{kBlock + 100});
        EXPECT_EQ(at_end, 0);
    }
}

TEST_F(Direct, TheAlignmentItSaysIsTaken)
{
    uint32_t memory = 0, offset = 0;

    aiox_file_alignment(&file_, &memory, &offset);

    ASSERT_GT(memory, 0U);
    ASSERT_GT(offset, 0U);
    ASSERT_LE(offset, kBlock);
    Pages page(kBlock, 'z');
    iovec iov = {page.get(), offset};
    loop_.Run([&] { EXPECT_EQ(Pwritev(&file_, &iov, 1, offset), ssize_t{offset}); });
}

TEST_F(Direct, WhatIsNotAlignedIsTakenOrRefusedAlikeByAll)
{
    Pages page(2 * kBlock, 'z');
    iovec iov = {page.get() + 1, 100};
    ssize_t results[3];
    int i = 0;
    for (unsigned avoid : {0U, kNoRing, kNoRing | 1u << AIOX_FILE_LINUX_AIO}) {
        File file(loop_, O_RDWR | O_DIRECT, Avoid(avoid));

        loop_.Run([&] { results[i++] = Pwritev(&file, &iov, 1, 3); });
    }

    EXPECT_TRUE(results[0] == -EINVAL || results[0] == 100) << results[0];
    EXPECT_EQ(results[1], results[0]);
    EXPECT_EQ(results[2], results[0]);
}

TEST_F(Direct, MoreThanTheKernelTakesAtOnceAreAllServed)
{
    NeedNativeAio();
    constexpr int kMany = 2500;
    Pages page(kBlock, 'x');
    ASSERT_EQ(pwritev(file_.fd(), page.iov(), 1, 0), ssize_t{kBlock});
    std::deque<Request> requests;
    int told = 0;
    for (int i = 0; i < kMany; i++) {
        requests.emplace_back(AIOX_FILE_READ, 0, 0);
        requests.back().iov = *page.iov();
        requests.back().when_told = [&] { told++; };
        aiox_file_submit(&file_, &requests.back().request);
    }

    loop_.RunUntil([&] { return told == kMany; });

    for (Request &r : requests) {
        ASSERT_EQ(r.result, int64_t{kBlock});
    }
    EXPECT_EQ(aiox_file_served(&file_, AIOX_FILE_LINUX_AIO) +
                  aiox_file_served(&file_, AIOX_FILE_POOL),
              uint64_t{kMany});
}

TEST_F(Direct, WhoIsToldMayTurnTheLoopAndWaitForAnother)
{
    NeedNativeAio();
    Pages page(kBlock, 'x');
    ASSERT_EQ(pwritev(file_.fd(), page.iov(), 1, 0), ssize_t{kBlock});
    Request a(AIOX_FILE_READ, 0, 0), b(AIOX_FILE_READ, 0, 0), c(AIOX_FILE_READ, 0, 0);
    auto wait_for_others = [&] { loop_.RunUntil([&] { return a.told + b.told + c.told == 3; }); };
    for (Request *r : {&a, &b, &c}) {
        r->iov = *page.iov();
        r->when_told = wait_for_others;
        aiox_file_submit(&file_, &r->request);
    }

    wait_for_others();

    EXPECT_EQ(a.result + b.result + c.result, int64_t{3 * kBlock});
}

TEST_F(Direct, ARequestThatTheKernelHasNotGotYetIsCancelled)
{
    NeedNativeAio();
    Request r(AIOX_FILE_WRITE, 0, 100, 'x');

    aiox_file_submit(&file_, &r.request);
    aiox_file_cancel(&r.request);
    EXPECT_EQ(r.told, 0);
    loop_.RunUntil([&] { return r.told > 0; });

    EXPECT_EQ(r.result, -ECANCELED);
    EXPECT_EQ(file_.Text(), "");
}

TEST_F(Direct, OtherOperationsGoToThePool)
{
    aiox_file_choice choice;

    aiox_file_explain(&file_, AIOX_FILE_FDATASYNC, &choice);

    EXPECT_EQ(choice.engine, AIOX_FILE_POOL);
    EXPECT_THAT(choice.why, HasSubstr("native AIO reads and writes"));
}

/* ---- kernels that say no ---- */

/* From now on @call fails with EPERM, in this process and for good. */
void Deny(unsigned call)
{
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {sizeof(code) / sizeof(*code), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        _exit(97);
    }
}

/* In a child: who serves a direct file there, by its write and in words. */
void WriteAndSay(const std::vector<unsigned> &denied)
{
    for (unsigned call : denied) {
        Deny(call);
    }
    setenv("AIOX_FDMON", "io_uring,epoll,poll", 1);
    Loop loop;
    File file(loop, O_RDWR | O_DIRECT);
    Pages out(kBlock, 'x');
    aiox_file_choice choice;
    aiox_file_engine engine;
    ssize_t n = 0;
    aiox_file_explain(&file, AIOX_FILE_WRITE, &choice);
    loop.Run([&] { n = Pwritev(&file, out.iov(), 1, 0, 0, &engine); });
    fprintf(stderr, "%d by %s, %s\n", static_cast<int>(n), aiox_file_engine_name(engine),
            choice.why);
}

class DirectDeathTest : public co_testing::DeathTest
{
  protected:
    void SetUp() override
    {
        Loop loop;
        File file(loop, O_RDWR | O_DIRECT);
        if (file.error() < 0 || !HasNativeAio(loop)) {
            GTEST_SKIP() << "no O_DIRECT or no native AIO here";
        }
    }
};

TEST_F(DirectDeathTest, WhereIoUringIsDeniedNativeAioServes)
{
    EXPECT_EXIT(
        {
            WriteAndSay({SYS_io_uring_setup});
            exit(0);
        },
        ::testing::ExitedWithCode(0),
        "4096 by linux_aio, linux_aio: the backend 'epoll' takes no requests; the file is "
        "O_DIRECT");
}

TEST_F(DirectDeathTest, WhereNativeAioIsDeniedTooThePoolServes)
{
    EXPECT_EXIT(
        {
            WriteAndSay({SYS_io_uring_setup, SYS_io_setup});
            exit(0);
        },
        ::testing::ExitedWithCode(0),
        "4096 by pool, pool: .*; no native AIO: Operation not permitted");
}
} // namespace
