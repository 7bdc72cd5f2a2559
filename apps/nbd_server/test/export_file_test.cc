/* SPDX-License-Identifier: MIT */
/*
 * export_file_test.cc - a file export over a kernel that the test plays: every
 * preadv2, pwritev2, fdatasync and request of the ring is noted in order and ends
 * as the test says. It plays the threads of the pool, too: a job runs when the
 * test lets it.
 */
#include "apps/nbd_server/export.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/io_uring.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aiox.h"

namespace
{

/* What happened, in order: "pwrite 512", "fdatasync", "done 1". */
std::vector<std::string> *events;
std::deque<int> results;  /* of the next system calls; empty: all goes well */
std::deque<int> refusals; /* of the next calls to aiox_submit */
bool has_ring;
bool is_cached; /* what is tried for at once is there */
std::deque<aiox_pool_job *> jobs;
size_t jobs_asked;

struct Asked {
    io_uring_sqe sqe;
    aiox_completion *completion;
};
std::vector<Asked> ring;

int NextResult(int good)
{
    if (results.empty()) {
        return good;
    }
    int result = results.front();

    results.pop_front();
    return result;
}

ssize_t AsSystemCall(int result)
{
    errno = result < 0 ? -result : 0;
    return result < 0 ? -1 : result;
}

} // namespace

extern "C" {
ssize_t __wrap_preadv2(int, const iovec *iov, int, off_t offset, int flags)
{
    bool at_once = flags & RWF_NOWAIT;

    if (at_once && !is_cached) {
        return AsSystemCall(-EAGAIN);
    }
    int n = NextResult(static_cast<int>(iov->iov_len));

    events->push_back((at_once ? "at once " : "pread ") + std::to_string(offset) + " " +
                      std::to_string(iov->iov_len));
    memset(iov->iov_base, 'r', n > 0 ? static_cast<size_t>(n) : 0);
    return AsSystemCall(n);
}
ssize_t __wrap_pwritev2(int, const iovec *iov, int, off_t offset, int)
{
    events->push_back("pwrite " + std::to_string(offset) + " " + std::to_string(iov->iov_len));
    return AsSystemCall(NextResult(static_cast<int>(iov->iov_len)));
}
void __wrap_aiox_pool_submit(aiox_pool *, aiox_pool_job *job)
{
    jobs.push_back(job);
    jobs_asked++;
}
int __wrap_fallocate(int, int mode, off_t offset, off_t bytes)
{
    const char *way = mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)   ? "punch "
                      : mode == (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE) ? "zero "
                                                                             : "? ";

    events->push_back(way + std::to_string(offset) + " " + std::to_string(bytes));
    return static_cast<int>(AsSystemCall(NextResult(0)));
}
int __wrap_posix_fadvise(int, off_t offset, off_t bytes, int)
{
    events->push_back("fadvise " + std::to_string(offset) + " " + std::to_string(bytes));
    return -NextResult(0);
}
int __wrap_fdatasync(int)
{
    events->push_back("fdatasync");
    return static_cast<int>(AsSystemCall(NextResult(0)));
}
bool __wrap_aiox_can_submit(aiox_context *, unsigned)
{
    return has_ring;
}
int __wrap_aiox_submit(aiox_context *, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c)
{
    Asked a = {{}, c};

    if (!refusals.empty()) {
        int refusal = refusals.front();

        refusals.pop_front();
        if (refusal) {
            return refusal;
        }
    }
    prepare(&a.sqe, opaque);
    static const std::map<int, const char *> kNames = {{IORING_OP_READV, "ring read"},
                                                       {IORING_OP_WRITEV, "ring write"},
                                                       {IORING_OP_FSYNC, "ring sync"},
                                                       {IORING_OP_FALLOCATE, "ring allocate"}};
    events->push_back(kNames.at(a.sqe.opcode));
    ring.push_back(a);
    return 0;
}
}

namespace
{

class ExportFileTest : public ::testing::Test
{
  protected:
    ExportFileTest()
    {
        events = &events_;
        results.clear();
        refusals.clear();
        ring.clear();
        has_ring = false;
        is_cached = false;
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        path_ = "/tmp/aiox-nbd-file-" + std::to_string(getpid());
        int fd = open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        EXPECT_EQ(ftruncate(fd, 1 << 20), 0);
        close(fd);
    }
    ~ExportFileTest() override
    {
        export_list_close(&list_);
        aiox_context_unref(ctx_);
        EXPECT_TRUE(jobs.empty());
        unlink(path_.c_str());
    }

    nbd_export *Open(bool with_ring, bool read_only = false)
    {
        export_spec spec = {};

        spec.name = "";
        spec.source = path_.c_str();
        spec.read_only = read_only;

        has_ring = with_ring;
        EXPECT_EQ(export_list_open(&list_, ctx_, &spec, nullptr), 0);
        return list_.first;
    }

    struct Job {
        export_io io; /* first */
        ExportFileTest *test;
        int number;
        char data[4096];
    };
    export_io *Io(int number, uint64_t offset, uint32_t bytes, bool fua = false)
    {
        Job &job = jobs_[number];

        job.test = this;
        job.number = number;
        job.io.offset = offset;
        job.io.bytes = bytes;
        job.io.fua = fua;
        job.io.data = reinterpret_cast<uint8_t *>(job.data);
        job.io.done = [](export_io *io, int result) {
            Job *j = reinterpret_cast<Job *>(io);

            j->test->events_.push_back("done " + std::to_string(j->number) +
                                       (result ? " " + std::to_string(result) : ""));
        };
        return &job.io;
    }
    /* What threads of the pool do, and its being told. */
    static void RunJobs()
    {
        while (!jobs.empty()) {
            aiox_pool_job *job = jobs.front();

            jobs.pop_front();
            job->done(job->opaque, job->run(job->opaque));
        }
    }
    void RunUnlessItWaits() const
    {
        if (!pool_waits_) {
            RunJobs();
        }
    }
    void Read(nbd_export *e, int number, uint64_t offset, uint32_t bytes)
    {
        e->ops->read(e, Io(number, offset, bytes));
        RunUnlessItWaits();
    }
    void Write(nbd_export *e, int number, uint64_t offset, uint32_t bytes, bool fua = false)
    {
        e->ops->write(e, Io(number, offset, bytes, fua));
        RunUnlessItWaits();
    }
    void Flush(nbd_export *e, int number)
    {
        e->ops->flush(e, Io(number, 0, 0));
        RunUnlessItWaits();
    }
    void Zero(nbd_export *e, int number, uint64_t offset, uint32_t bytes, const std::string &how)
    {
        export_io *io = Io(number, offset, bytes, how.find("fua") != std::string::npos);

        io->keep = how.find("keep") != std::string::npos;
        io->fast = how.find("fast") != std::string::npos;
        e->ops->zero(e, io);
        RunUnlessItWaits();
    }
    void Trim(nbd_export *e, int number, uint64_t offset, uint32_t bytes, bool fua = false)
    {
        e->ops->trim(e, Io(number, offset, bytes, fua));
        RunUnlessItWaits();
    }
    void Cache(nbd_export *e, int number, uint64_t offset, uint32_t bytes)
    {
        e->ops->cache(e, Io(number, offset, bytes));
        RunUnlessItWaits();
    }
    /* "d4096 h8192": data, then a hole. */
    static std::string Map(nbd_export *e, uint64_t offset, uint64_t bytes, uint32_t max = 16,
                           bool hint = false)
    {
        export_extent extents[16];
        export_io io = {};
        std::string words;

        io.offset = offset;
        io.bytes = bytes;
        io.extents = extents;
        io.extent_max = max;
        io.hint = hint;
        io.done = [](export_io *, int result) { EXPECT_EQ(result, 0); };
        e->ops->map(e, &io);
        RunJobs();
        for (uint32_t i = 0; i < io.extent_count; i++) {
            words += (i ? " " : "") + std::string(extents[i].state ? "h" : "d") +
                     std::to_string(extents[i].bytes);
        }
        return words;
    }
    /* As Map() for a read; "asked" in front if a thread was. */
    static std::string Hint(nbd_export *e, uint64_t offset, uint64_t bytes)
    {
        size_t before = jobs_asked;
        std::string words = Map(e, offset, bytes, 7, true);

        return (jobs_asked > before ? "asked " : "") + words;
    }
    /* Makes the file @bytes of data. */
    void Fill(size_t bytes) const
    {
        int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);

        EXPECT_EQ(write(fd, std::string(bytes, 'x').data(), bytes), static_cast<ssize_t>(bytes));
        close(fd);
    }
    /* Ends the @i-th request at the ring. */
    void End(size_t i, int result)
    {
        Asked a = ring.at(i);

        ring.erase(ring.begin() + static_cast<long>(i));
        a.completion->done(a.completion, result);
        RunUnlessItWaits();
    }
    /* Of a request at the ring: the first buffer. */
    static const iovec &Buffer(size_t i)
    {
        return *reinterpret_cast<const iovec *>(ring.at(i).sqe.addr);
    }
    std::vector<std::string> Events()
    {
        return std::move(events_);
    }

    using Strings = std::vector<std::string>;
    Strings events_;
    std::string path_;
    aiox_context *ctx_ = nullptr;
    bool pool_waits_ = false; /* jobs run when the test says */
    export_list list_ = {};
    std::map<int, Job> jobs_;
};

/* ---- by system calls ---- */

TEST_F(ExportFileTest, ShortAndInterruptedTransfersGoOn)
{
    nbd_export *e = Open(false);

    results = {100, -EINTR, 3996};
    Read(e, 1, 0, 4096);
    results = {-EINTR, 1, 9};
    Write(e, 2, 50, 10);

    EXPECT_EQ(Events(), (Strings{"pread 0 4096", "pread 100 3996", "pread 100 3996", "done 1",
                                 "pwrite 50 10", "pwrite 50 10", "pwrite 51 9", "done 2"}));
}

TEST_F(ExportFileTest, AFileThatWasCutIsAnErrorNotAHang)
{
    nbd_export *e = Open(false);

    results = {100, 0};
    Read(e, 1, 0, 4096);

    EXPECT_EQ(Events().back(), "done 1 " + std::to_string(-EIO));
}

TEST_F(ExportFileTest, AnErrorEndsItsRequestAndNoOther)
{
    nbd_export *e = Open(false);

    results = {-ENOSPC, 10};
    Write(e, 1, 0, 10);
    Write(e, 2, 0, 10);

    EXPECT_EQ(Events(), (Strings{"pwrite 0 10", "done 1 " + std::to_string(-ENOSPC), "pwrite 0 10",
                                 "done 2"}));
}

TEST_F(ExportFileTest, FuaAndFlushAreDoneBehindTheSync)
{
    nbd_export *e = Open(false);

    Write(e, 1, 0, 10, true);
    Write(e, 2, 0, 10);
    Flush(e, 3);

    EXPECT_EQ(Events(), (Strings{"pwrite 0 10", "fdatasync", "done 1", "pwrite 0 10", "done 2",
                                 "fdatasync", "done 3"}));
}

TEST_F(ExportFileTest, AFuaWriteThatFailsIsNotSynced)
{
    nbd_export *e = Open(false);

    results = {-EIO};
    Write(e, 1, 0, 10, true);

    EXPECT_EQ(Events(), (Strings{"pwrite 0 10", "done 1 " + std::to_string(-EIO)}));
}

TEST_F(ExportFileTest, AFailedSyncStandsForGood)
{
    std::string eio = " " + std::to_string(-EIO);
    nbd_export *e = Open(false);

    results = {-EIO};
    Flush(e, 1);
    Flush(e, 2);
    Write(e, 3, 0, 10);
    Write(e, 4, 0, 10, true);
    Read(e, 5, 0, 10);

    EXPECT_EQ(Events(), (Strings{"fdatasync", "done 1" + eio, "done 2" + eio, "done 3" + eio,
                                 "done 4" + eio, "pread 0 10", "done 5"}));
}

TEST_F(ExportFileTest, AnInterruptedSyncIsRepeated)
{
    nbd_export *e = Open(false);

    results = {-EINTR, 0};
    Flush(e, 1);

    EXPECT_EQ(Events(), (Strings{"fdatasync", "fdatasync", "done 1"}));
}

TEST_F(ExportFileTest, NothingLongNeedsNoCallButFuaStillSyncs)
{
    nbd_export *e = Open(false);

    Read(e, 1, 0, 0);
    Write(e, 2, 0, 0);
    Write(e, 3, 0, 0, true);

    EXPECT_EQ(Events(), (Strings{"done 1", "done 2", "fdatasync", "done 3"}));
}

TEST_F(ExportFileTest, WhatIsReadOnlyHasNothingToFlush)
{
    nbd_export *e = Open(false, true);

    Flush(e, 1);

    EXPECT_EQ(Events(), (Strings{"done 1"}));
}

/* ---- by requests to the kernel ---- */

TEST_F(ExportFileTest, RequestsGoToTheRingAndEndInAnyOrder)
{
    nbd_export *e = Open(true);

    Read(e, 1, 0, 100);
    Write(e, 2, 200, 100);
    EXPECT_EQ(ring[1].sqe.off, 200u);
    EXPECT_EQ(Buffer(1).iov_len, 100u);
    End(1, 100);
    End(0, 60);
    EXPECT_EQ(ring[0].sqe.off, 60u);
    EXPECT_EQ(Buffer(0).iov_len, 40u);
    End(0, 40);

    EXPECT_EQ(Events(), (Strings{"ring read", "ring write", "done 2", "ring read", "done 1"}));
}

TEST_F(ExportFileTest, FuaOnTheRingIsDoneBehindTheSync)
{
    nbd_export *e = Open(true);

    Write(e, 1, 0, 10, true);
    End(0, 10);
    EXPECT_EQ(ring[0].sqe.fsync_flags, static_cast<uint32_t>(IORING_FSYNC_DATASYNC));
    End(0, 0);

    EXPECT_EQ(Events(), (Strings{"ring write", "ring sync", "done 1"}));
}

TEST_F(ExportFileTest, WhoComesWhileASyncRunsSharesTheNext)
{
    nbd_export *e = Open(true);

    Flush(e, 1);
    Flush(e, 2);
    Flush(e, 3);
    EXPECT_EQ(ring.size(), 1u);
    End(0, 0);
    EXPECT_EQ(Events(), (Strings{"ring sync", "done 1", "ring sync"}));
    Flush(e, 4);
    End(0, 0);
    End(0, 0);

    Strings all = Events();
    EXPECT_EQ(all.size(), 4u); /* done 2 and 3, one more sync, done 4 */
    EXPECT_EQ(all[2], "ring sync");
    EXPECT_EQ(all[3], "done 4");
}

TEST_F(ExportFileTest, AFailedSyncOnTheRingStandsForThoseWhoWait)
{
    std::string eio = " " + std::to_string(-EIO);
    nbd_export *e = Open(true);

    Flush(e, 1);
    Flush(e, 2);
    End(0, -EIO);

    EXPECT_EQ(Events(), (Strings{"ring sync", "done 1" + eio, "done 2" + eio}));
}

TEST_F(ExportFileTest, WhatTheRingHasNoRoomForIsDoneByAThread)
{
    nbd_export *e = Open(true);

    Read(e, 1, 0, 10);
    refusals = {-EAGAIN, -EAGAIN};
    Read(e, 2, 0, 10);
    Flush(e, 3);
    End(0, 10);

    EXPECT_EQ(Events(),
              (Strings{"ring read", "pread 0 10", "done 2", "fdatasync", "done 3", "done 1"}));
}

TEST_F(ExportFileTest, WithoutARingAnyMoreThreadsDoIt)
{
    nbd_export *e = Open(true);

    refusals = {-ENOTSUP, -ENOTSUP};
    Read(e, 1, 0, 10);
    Flush(e, 2);

    EXPECT_EQ(Events(), (Strings{"pread 0 10", "done 1", "fdatasync", "done 2"}));
}

TEST_F(ExportFileTest, ASyncWhoseResultIsLostWithTheRingHasFailed)
{
    std::string eio = " " + std::to_string(-EIO);
    nbd_export *e = Open(true);

    Flush(e, 1);
    End(0, -ECANCELED); /* it may have been told of a lost page, which is told once */
    Write(e, 2, 0, 10);

    EXPECT_EQ(Events(), (Strings{"ring sync", "fdatasync", "done 1" + eio, "done 2" + eio}));
}

/* ---- by threads ---- */

TEST_F(ExportFileTest, NothingBlocksTheLoop)
{
    export_extent extent;
    nbd_export *e = Open(false);

    pool_waits_ = true;
    Read(e, 1, 0, 10);
    Write(e, 2, 0, 10);
    Zero(e, 3, 0, 10, "");
    Trim(e, 4, 0, 10);
    Cache(e, 5, 0, 10);
    Flush(e, 6);
    export_io *map = Io(7, 0, 10);
    map->extents = &extent;
    map->extent_max = 1;
    e->ops->map(e, map);
    EXPECT_EQ(Events(), Strings{});
    EXPECT_EQ(jobs.size(), 7u);
    RunJobs();

    Strings all = Events();
    EXPECT_EQ(std::count_if(all.begin(), all.end(),
                            [](const std::string &event) { return event.substr(0, 4) == "done"; }),
              7);
}

TEST_F(ExportFileTest, WhatIsCachedIsReadAtOnceUnlessItIsLong)
{
    nbd_export *e = Open(false);
    std::vector<uint8_t> much(512 << 10);

    is_cached = true;
    Read(e, 1, 0, 4096);
    export_io *io = Io(2, 0, static_cast<uint32_t>(much.size()));
    io->data = much.data();
    e->ops->read(e, io);
    RunJobs();

    EXPECT_EQ(Events(), (Strings{"at once 0 4096", "done 1", "pread 0 524288", "done 2"}));
}

TEST_F(ExportFileTest, WhatIsCachedIsReadAtOnceAlsoWithARing)
{
    nbd_export *e = Open(true);

    is_cached = true;
    Read(e, 1, 0, 4096);
    is_cached = false;
    Read(e, 2, 0, 4096);
    End(0, 4096);

    EXPECT_EQ(Events(), (Strings{"at once 0 4096", "done 1", "ring read", "done 2"}));
}

TEST_F(ExportFileTest, WhatIsCachedInPartIsReadWholeByAThread)
{
    nbd_export *e = Open(false);

    is_cached = true;
    results = {100};
    Read(e, 1, 0, 4096);

    EXPECT_EQ(Events(), (Strings{"at once 0 4096", "pread 0 4096", "done 1"}));
}

TEST_F(ExportFileTest, WhatAFuaWriteWroteIsSyncedWhenItIsThere)
{
    nbd_export *e = Open(false);

    pool_waits_ = true;
    Write(e, 1, 0, 10, true);
    Flush(e, 2); /* runs while the write does */
    RunJobs();

    EXPECT_EQ(Events(), (Strings{"pwrite 0 10", "fdatasync", "done 2", "fdatasync", "done 1"}));
}

/* ---- opening ---- */

/* ---- room ---- */

TEST_F(ExportFileTest, ZeroPunchesUnlessTheRoomIsToBeKept)
{
    nbd_export *e = Open(false);

    Zero(e, 1, 100, 4096, "");
    Zero(e, 2, 0, 4096, "keep");
    Zero(e, 3, 0, 4096, "fast");
    Zero(e, 4, 0, 4096, "keep fast");
    Trim(e, 5, 0, 4096);

    EXPECT_EQ(Events(),
              (Strings{"punch 100 4096", "done 1", "zero 0 4096", "done 2", "punch 0 4096",
                       "done 3", "zero 0 4096", "done 4", "punch 0 4096", "done 5"}));
}

TEST_F(ExportFileTest, WhereNothingElseWorksZeroesAreWritten)
{
    nbd_export *e = Open(false);

    results = {-EOPNOTSUPP, -EOPNOTSUPP, 4000, 96};
    Zero(e, 1, 0, 4096, "");
    results = {-EOPNOTSUPP};
    Zero(e, 2, 0, 4096, "keep fua");

    EXPECT_EQ(Events(), (Strings{"punch 0 4096", "zero 0 4096", "pwrite 0 4096", "pwrite 4000 96",
                                 "done 1", "zero 0 4096", "pwrite 0 4096", "fdatasync", "done 2"}));
}

TEST_F(ExportFileTest, LongZeroesAreWrittenInPieces)
{
    nbd_export *e = Open(false);

    results = {-EOPNOTSUPP, -EOPNOTSUPP};
    Zero(e, 1, 4096, 600 << 10, "");

    EXPECT_EQ(Events(), (Strings{"punch 4096 614400", "zero 4096 614400", "pwrite 4096 262144",
                                 "pwrite 266240 262144", "pwrite 528384 90112", "done 1"}));
}

TEST_F(ExportFileTest, AFastZeroIsNeverAWrite)
{
    nbd_export *e = Open(false);

    results = {-EOPNOTSUPP, -EOPNOTSUPP};
    Zero(e, 1, 0, 4096, "fast");

    EXPECT_EQ(Events(),
              (Strings{"punch 0 4096", "zero 0 4096", "done 1 " + std::to_string(-EOPNOTSUPP)}));
}

TEST_F(ExportFileTest, ATrimThatIsOfNoUseIsNoError)
{
    nbd_export *e = Open(false);

    results = {-EOPNOTSUPP, -EIO};
    Trim(e, 1, 0, 4096);
    Trim(e, 2, 0, 4096);

    EXPECT_EQ(Events(), (Strings{"punch 0 4096", "done 1", "punch 0 4096",
                                 "done 2 " + std::to_string(-EIO)}));
}

TEST_F(ExportFileTest, FuaHoldsForZeroAndTrim)
{
    nbd_export *e = Open(false);

    Zero(e, 1, 0, 512, "fua");
    Trim(e, 2, 0, 512, true);

    EXPECT_EQ(Events(), (Strings{"punch 0 512", "fdatasync", "done 1", "punch 0 512", "fdatasync",
                                 "done 2"}));
}

TEST_F(ExportFileTest, AfterAFailedSyncNothingIsZeroedOrTrimmed)
{
    nbd_export *e = Open(false);

    results = {-EIO};
    Flush(e, 1);
    Events();
    Zero(e, 2, 0, 512, "");
    Trim(e, 3, 0, 512);

    EXPECT_EQ(Events(),
              (Strings{"done 2 " + std::to_string(-EIO), "done 3 " + std::to_string(-EIO)}));
}

TEST_F(ExportFileTest, NothingLongIsZeroedWithoutACall)
{
    nbd_export *e = Open(false);

    Zero(e, 1, 0, 0, "");
    Trim(e, 2, 0, 0);
    Cache(e, 3, 0, 0);

    EXPECT_EQ(Events(), (Strings{"done 1", "done 2", "done 3"}));
}

TEST_F(ExportFileTest, CacheReadsAheadWithinReason)
{
    nbd_export *e = Open(false);

    Cache(e, 1, 512, 1024);
    Cache(e, 2, 0, 0xffffffff);

    EXPECT_EQ(Events(), (Strings{"fadvise 512 1024", "done 1", "fadvise 0 33554432", "done 2"}));
}

TEST_F(ExportFileTest, OnTheRingRoomIsARequestToo)
{
    nbd_export *e = Open(true);

    Zero(e, 1, 4096, 8192, "fua");
    EXPECT_EQ(ring[0].sqe.addr, 8192u);
    EXPECT_EQ(ring[0].sqe.off, 4096u);
    EXPECT_EQ(ring[0].sqe.len, static_cast<uint32_t>(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE));
    End(0, -EOPNOTSUPP);
    EXPECT_EQ(ring[0].sqe.len, static_cast<uint32_t>(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE));
    End(0, -EOPNOTSUPP);
    EXPECT_EQ(Buffer(0).iov_len, 8192u); /* zeroes to write */
    End(0, 8192);
    End(0, 0);

    EXPECT_EQ(Events(),
              (Strings{"ring allocate", "ring allocate", "ring write", "ring sync", "done 1"}));
}

TEST_F(ExportFileTest, TheMapIsThatOfTheFile)
{
    constexpr uint64_t kBig = 1 << 20;
    int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(ftruncate(fd, kBig), 0);
    ASSERT_EQ(lseek(fd, 256 << 10, SEEK_SET), 256 << 10);
    ASSERT_EQ(write(fd, std::string(64 << 10, 'x').data(), 64 << 10), 64 << 10);
    close(fd);
    nbd_export *e = Open(false, true);

    EXPECT_EQ(Map(e, 0, kBig), "h262144 d65536 h720896");
    EXPECT_EQ(Map(e, 262144 + 10, 100), "d100");
    EXPECT_EQ(Map(e, 0, 262145), "h262144 d1");
    EXPECT_EQ(Map(e, kBig - 1, 1), "h1");
    EXPECT_EQ(Map(e, 0, kBig, 2), "h262144 d65536");
}

/* ---- what a read that leaves holes out wants to know ---- */

TEST_F(ExportFileTest, WhatWasDataOnceIsNotLookedForAgain)
{
    Fill(1 << 20);
    nbd_export *e = Open(false);

    EXPECT_EQ(Hint(e, 0, 4096), "asked d4096");

    EXPECT_EQ(Hint(e, 0, 4096), "d4096");
    EXPECT_EQ(Hint(e, 65536, 262144), "d262144"); /* it went on */
    EXPECT_EQ(Hint(e, (1 << 20) - 10, 10), "d10");
    EXPECT_EQ(Hint(e, 100, 1000), "d1000");
}

TEST_F(ExportFileTest, AHoleIsLookedForEachTimeSinceOthersMayFillIt)
{
    ASSERT_EQ(truncate(path_.c_str(), 1 << 20), 0);
    nbd_export *e = Open(false);
    EXPECT_EQ(Hint(e, 0, 65536), "asked h65536");

    int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(write(fd, std::string(65536, 'x').data(), 65536), 65536); /* somebody else */
    close(fd);

    EXPECT_EQ(Hint(e, 0, 65536), "asked d65536");
    EXPECT_EQ(Hint(e, 0, 65536 + 4096), "asked d65536 h4096");
    EXPECT_EQ(Hint(e, 4096, 8192), "d8192");
}

TEST_F(ExportFileTest, WhatWasTrimmedOrZeroedIsLookedForAgain)
{
    Fill(1 << 20);
    nbd_export *e = Open(false);
    EXPECT_EQ(Hint(e, 0, 4096), "asked d4096");

    Trim(e, 1, 8192, 10);
    Zero(e, 2, 65536, 4096, "");

    EXPECT_EQ(Hint(e, 0, 8192), "d8192");
    EXPECT_EQ(Hint(e, 12288, 65536), "asked d65536");
    EXPECT_EQ(Hint(e, 8192, 4096), "asked d4096");
}

TEST_F(ExportFileTest, WhoWantsToKnowIsToldTheTruth)
{
    Fill(1 << 20);
    nbd_export *e = Open(false);
    EXPECT_EQ(Hint(e, 0, 65536), "asked d65536");

    ASSERT_EQ(truncate(path_.c_str(), 0), 0); /* somebody else makes a hole of it */
    ASSERT_EQ(truncate(path_.c_str(), 1 << 20), 0);

    EXPECT_EQ(Map(e, 0, 65536), "h65536");
    EXPECT_EQ(Hint(e, 0, 65536), "d65536"); /* to be read, and then it is zeroes */
}

TEST_F(ExportFileTest, BehindTheEndOfACutFileThereIsNoHole)
{
    nbd_export *e = Open(false);

    ASSERT_EQ(truncate(path_.c_str(), 4096), 0);

    EXPECT_EQ(Map(e, 4096, 4096), "d4096");
    EXPECT_EQ(Map(e, 0, 8192).substr(0, 1), "h");
    EXPECT_EQ(Map(e, 0, 8192).substr(Map(e, 0, 8192).size() - 5), "d4096");
}

TEST_F(ExportFileTest, WhatCannotBeServedIsNamed)
{
    std::string fifo = path_ + ".fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const std::pair<const char *, int> cases[] = {
        {"/nowhere/at/all", -ENOENT}, {"/tmp", -EISDIR},    {"/dev/zero", -EINVAL},
        {fifo.c_str(), -EINVAL},      {"memory:", -EINVAL}, {"memory:16777215T", -ENOMEM},
    };

    for (auto [source, error] : cases) {
        export_spec spec = {};

        spec.name = "n\n";
        spec.source = source;
        aiox_error err = {};

        EXPECT_EQ(export_list_open(&list_, ctx_, &spec, &err), error) << source;
        EXPECT_EQ(std::string(err.message).substr(0, 15), "export \"n\\x0a\":") << err.message;
    }
    EXPECT_EQ(list_.first, nullptr);
    unlink(fifo.c_str());
}

TEST_F(ExportFileTest, TheSizeIsThatOfTheFileToTheByte)
{
    ASSERT_EQ(truncate(path_.c_str(), (INT64_C(3) << 40) + 7), 0); /* beyond 2^31 sectors */

    EXPECT_EQ(Open(false)->size_bytes, (UINT64_C(3) << 40) + 7);
}

} // namespace
