/* SPDX-License-Identifier: MIT */
/*
 * trace_test.cc - the points of src/trace.h.
 *
 * The linker leads aiox_submit() to this file (--wrap), so a ring can be full.
 */
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_file/test/testing.h"
#include "test/harness/trace_log.h"

namespace
{
int g_refusals;
}

extern "C" {
int __real_aiox_submit(aiox_context *ctx, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c);
int __wrap_aiox_submit(aiox_context *ctx, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c);
}

int __wrap_aiox_submit(aiox_context *ctx, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c)
{
    return g_refusals-- > 0 ? -EAGAIN : __real_aiox_submit(ctx, prepare, opaque, c);
}

namespace
{
using aiox_test::Number;
using aiox_test::TraceLog;
using aiox_test::TracePoint;
using file_testing::File;
using file_testing::Loop;
using file_testing::Request;
using Points = std::vector<TracePoint>;

constexpr unsigned kNoRing = 1u << AIOX_FILE_RING;
constexpr unsigned kNoInline = 1u << AIOX_FILE_INLINE;

uint64_t Signed(int64_t n)
{
    return static_cast<uint64_t>(n);
}

class AioFileTrace : public ::testing::Test
{
  protected:
    ~AioFileTrace() override
    {
        g_refusals = 0;
    }
    static aiox_file_options Avoid(unsigned engines)
    {
        aiox_file_options options = {};
        options.avoid = engines;
        return options;
    }
    void Serve(aiox_file *f, Request *r)
    {
        aiox_file_submit(f, &r->request);
        loop_.RunUntil([&] { return r->told == 1; });
    }

    Loop loop_;
};

TEST_F(AioFileTrace, WhoServesARequestAndWhatItComesTo)
{
    File file(loop_, O_RDWR, Avoid(kNoRing | kNoInline));
    ASSERT_EQ(file.error(), 0);
    file.Fill("hello");
    Request read(AIOX_FILE_READ, 0, 5);
    TraceLog log("aio_file");

    Serve(&file, &read);

    EXPECT_EQ(log.Points(), (Points{{"engine", Number(&read.request), AIOX_FILE_POOL},
                                    {"end", Number(&read.request), 5}}));
}

TEST_F(AioFileTrace, ThePageCacheServesOrDoesNot)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    ASSERT_EQ(file.error(), 0);
    file.Fill("hello");
    Request read(AIOX_FILE_READ, 0, 5), longer(AIOX_FILE_READ, 0, 10);
    TraceLog log("aio_file");

    Serve(&file, &read);
    Points cached = log.Points();
    if (cached[0].event == "miss") {
        GTEST_SKIP() << "this file system does not say what is cached";
    }
    Serve(&file, &longer);
    Points cut = log.Points();

    EXPECT_EQ(cached, (Points{{"engine", Number(&read.request), AIOX_FILE_INLINE},
                              {"end", Number(&read.request), 5}}));
    EXPECT_EQ(cut, (Points{{"miss", Number(&longer.request), 5},
                           {"engine", Number(&longer.request), AIOX_FILE_POOL},
                           {"end", Number(&longer.request), 5}}));
}

TEST_F(AioFileTrace, ARingThatIsFullRefuses)
{
    File file(loop_);
    ASSERT_EQ(file.error(), 0);
    if (!aiox_has_completion(loop_)) {
        GTEST_SKIP() << "this backend has no ring";
    }
    Request write(AIOX_FILE_WRITE, 0, 5, 'x');
    g_refusals = 1;
    TraceLog log("aio_file");

    Serve(&file, &write);

    EXPECT_EQ(log.Points(), (Points{{"engine", Number(&write.request), AIOX_FILE_RING},
                                    {"refuse", Number(&write.request), Signed(-EAGAIN)},
                                    {"engine", Number(&write.request), AIOX_FILE_POOL},
                                    {"end", Number(&write.request), 5}}));
}

TEST_F(AioFileTrace, AnEarlyEndIsAskedFor)
{
    File file(loop_, O_RDWR, Avoid(kNoRing));
    ASSERT_EQ(file.error(), 0);
    Request write(AIOX_FILE_WRITE, 0, 5, 'x');
    TraceLog log("aio_file");

    aiox_file_submit(&file, &write.request);
    aiox_file_cancel(&write.request);
    loop_.RunUntil([&] { return write.told == 1; });

    EXPECT_EQ(log.Points(), (Points{{"engine", Number(&write.request), AIOX_FILE_POOL},
                                    {"cancel", Number(&write.request), AIOX_FILE_POOL},
                                    {"end", Number(&write.request), Signed(write.result)}}));
}

TEST_F(AioFileTrace, NativeAioIsHandedABatchAndThePoolRepeatsWhatItRefused)
{
    File file(loop_, O_RDWR | O_DIRECT, Avoid(kNoRing));
    if (file.error() < 0) {
        GTEST_SKIP() << "no O_DIRECT here";
    }
    aiox_linux_aio *aio = nullptr;
    if (aiox_linux_aio_get(&aio, loop_) < 0) {
        GTEST_SKIP() << "no native AIO here";
    }
    Request odd(AIOX_FILE_WRITE, 1, 5, 'x'); /* not aligned: nobody takes it */
    TraceLog log("aio_file");

    Serve(&file, &odd);

    Points points = log.Points();
    ASSERT_EQ(points.size(), 5u);
    EXPECT_EQ(points[0], (TracePoint{"engine", Number(&odd.request), AIOX_FILE_LINUX_AIO}));
    EXPECT_EQ(points[1].event, "batch");
    EXPECT_EQ(points[1].a, Number(aio));
    EXPECT_EQ(points[2], (TracePoint{"retry", Number(&odd.request), Signed(-EINVAL)}));
    EXPECT_EQ(points[3], (TracePoint{"engine", Number(&odd.request), AIOX_FILE_POOL}));
    EXPECT_EQ(points[4], (TracePoint{"end", Number(&odd.request), Signed(-EINVAL)}));
}
} // namespace
