/* SPDX-License-Identifier: MIT */
/*
 * power_cut_test.cc - two siblings of a file export on a disk with a volatile
 * cache, which the test plays: what was written and not synced is on the medium
 * or not, as it comes. After every call the power is cut in thought, and what
 * was promised by then is looked for.
 *
 * A block is filled with its version, which only grows, so a byte says whether
 * it is as new as was promised.
 */
#include "apps/nbd_server/export.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aiox.h"

namespace
{

constexpr size_t kBlock = 64, kBlocks = 32;

using Image = std::vector<uint8_t>;

class Disk
{
  public:
    explicit Disk(unsigned seed) : random(seed)
    {
    }
    int Write(const void *data, size_t bytes, off_t offset)
    {
        const uint8_t *from = static_cast<const uint8_t *>(data);
        size_t n = Chance(4) ? 1 + random() % bytes : bytes; /* short ones, too */

        cache.push_back({static_cast<size_t>(offset), Image(from, from + n)});
        return static_cast<int>(n);
    }
    /* The oldest @count writes are on the medium when this returns. */
    int Sync(size_t count)
    {
        if (!syncs_do_nothing) {
            for (size_t i = 0; i < count; i++) {
                Apply(cache[i], medium);
            }
            cache.erase(cache.begin(), cache.begin() + static_cast<long>(count));
            forgotten += count;
        }
        return 0;
    }
    /* What is found after a cut now: each write of the cache made it or did not. */
    Image Cut()
    {
        Image found = medium;

        for (const Cached &write : cache) {
            if (Chance(2)) {
                Apply(write, found);
            }
        }
        return found;
    }
    bool Chance(unsigned of)
    {
        return random() % of == 0;
    }

    struct Cached {
        size_t offset;
        Image bytes;
    };
    std::mt19937 random;
    bool syncs_do_nothing = false;
    std::vector<Cached> cache;
    size_t forgotten = 0; /* writes that left the cache */
    Image medium = Image(kBlock * kBlocks);

  private:
    static void Apply(const Cached &write, Image &image)
    {
        std::copy(write.bytes.begin(), write.bytes.end(),
                  image.begin() + static_cast<long>(write.offset));
    }
};

Disk *disk;
std::function<void()> after_call;
bool has_ring;

/* What threads of the pool are to do, have done, and tell. */
struct Job {
    aiox_pool_job *job;
    bool has_run;
    int result;
};
std::vector<Job> pool;

/* A request at the ring; a sync covers what was written when it was asked for. */
struct Asked {
    io_uring_sqe sqe;
    aiox_completion *completion;
    size_t covers;
};
std::vector<Asked> ring;

} // namespace

extern "C" {
ssize_t __wrap_pwritev2(int, const iovec *iov, int, off_t offset, int)
{
    int n = disk->Write(iov->iov_base, iov->iov_len, offset);

    after_call();
    return n;
}
void __wrap_aiox_pool_submit(aiox_pool *, aiox_pool_job *job)
{
    pool.push_back({job, false, 0});
}
int __wrap_fdatasync(int)
{
    int result = disk->Sync(disk->cache.size());

    after_call();
    return result;
}
bool __wrap_aiox_can_submit(aiox_context *, unsigned)
{
    return has_ring;
}
int __wrap_aiox_submit(aiox_context *, aiox_fdmon_prepare_fn *prepare, void *opaque,
                       aiox_completion *c)
{
    Asked asked = {{}, c, disk->forgotten + disk->cache.size()};

    if (ring.size() == 6 || disk->Chance(10)) {
        return -EAGAIN;
    }
    prepare(&asked.sqe, opaque);
    ring.push_back(asked);
    return 0;
}
}

namespace
{

/* One of the requests on the ring ends. */
void EndOneOfTheRing()
{
    size_t i = disk->random() % ring.size();
    Asked asked = ring[i];
    int result = 0;

    ring.erase(ring.begin() + static_cast<long>(i));
    if (asked.sqe.opcode == IORING_OP_WRITEV) {
        const iovec *iov = reinterpret_cast<const iovec *>(asked.sqe.addr);

        result = disk->Write(iov->iov_base, iov->iov_len, static_cast<off_t>(asked.sqe.off));
    } else {
        disk->Sync(asked.covers > disk->forgotten ? asked.covers - disk->forgotten : 0);
    }
    after_call();
    asked.completion->done(asked.completion, result);
}

/* A thread of the pool does its job, or one that did is told of: others come in between. */
void GoOnWithOneOfThePool()
{
    size_t i = disk->random() % pool.size();
    Job &job = pool[i];

    if (!job.has_run) {
        job.has_run = true;
        job.result = job.job->run(job.job->opaque);
        return;
    }
    Job over = job;

    pool.erase(pool.begin() + static_cast<long>(i));
    over.job->done(over.job->opaque, over.result);
}

bool IsSomethingUnderWay()
{
    return !ring.empty() || !pool.empty();
}

void EndOne()
{
    if (!ring.empty() && (pool.empty() || disk->Chance(2))) {
        EndOneOfTheRing();
    } else {
        GoOnWithOneOfThePool();
    }
}

class PowerCut
{
  public:
    PowerCut(unsigned seed, bool with_ring, bool syncs_do_nothing) : disk_(seed)
    {
        disk_.syncs_do_nothing = syncs_do_nothing;
        disk = &disk_;
        after_call = [this] { LookForWhatWasPromised(); };
        has_ring = with_ring;
        ring.clear();
        pool.clear();
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        close(open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
        EXPECT_EQ(truncate(path_.c_str(), kBlock * kBlocks), 0);
        for (export_list &list : lists_) {
            export_spec spec = {};

            spec.name = "";
            spec.source = path_.c_str();
            spec.sibling = lists_[0].first;
            EXPECT_EQ(export_list_open(&list, ctx_, &spec, nullptr), 0);
        }
    }
    ~PowerCut()
    {
        for (export_list &list : lists_) {
            export_list_close(&list);
        }
        aiox_context_unref(ctx_);
        unlink(path_.c_str());
    }
    void Run(int requests)
    {
        for (int i = 0; i < requests; i++) {
            AskSomething();
            while (IsSomethingUnderWay() && !disk_.Chance(4)) {
                EndOne();
            }
        }
        while (!jobs_.empty()) {
            if (IsSomethingUnderWay()) {
                EndOne();
            }
            Forget();
        }
    }

    int promises = 0;
    int lost = 0;

  private:
    struct Request {
        export_io io = {}; /* first */
        PowerCut *self;
        size_t block;
        uint8_t version;
        Image data;
        std::vector<uint8_t> covered; /* a flush: versions that were answered before it */
        bool over = false;
    };

    Request *NewRequest()
    {
        jobs_.push_back(std::make_unique<Request>());
        jobs_.back()->self = this;
        jobs_.back()->io.done = Done;
        return jobs_.back().get();
    }
    void AskSomething()
    {
        nbd_export *e = lists_[disk_.random() % 2].first;
        size_t block = disk_.random() % kBlocks;

        Forget();
        if (disk_.Chance(6)) {
            Request *job = NewRequest();

            job->covered = answered_;
            e->ops->flush(e, &job->io);
        } else if (!busy_[block] && versions_[block] < 255) {
            Request *job = NewRequest();

            busy_[block] = true;
            job->block = block;
            job->version = ++versions_[block];
            job->data = Image(kBlock, job->version);
            job->io.offset = block * kBlock;
            job->io.bytes = kBlock;
            job->io.data = job->data.data();
            job->io.fua = disk_.Chance(3);
            e->ops->write(e, &job->io);
        }
    }
    /* An answer: from now on it is promised. */
    static void Done(export_io *io, int result)
    {
        Request *job = reinterpret_cast<Request *>(io);
        PowerCut *self = job->self;

        EXPECT_EQ(result, 0);
        job->over = true;
        if (!job->covered.empty()) {
            for (size_t i = 0; i < kBlocks; i++) {
                self->Promise(i, job->covered[i]);
            }
            return;
        }
        self->busy_[job->block] = false;
        self->answered_[job->block] = job->version;
        if (io->fua) {
            self->Promise(job->block, job->version);
        }
        self->LookForWhatWasPromised();
    }
    void Promise(size_t block, uint8_t version)
    {
        promises += version > promised_[block];
        promised_[block] = std::max(promised_[block], version);
    }
    void LookForWhatWasPromised()
    {
        Image found = disk_.Cut();

        for (size_t i = 0; i < kBlocks; i++) {
            auto block = found.begin() + static_cast<long>(i * kBlock);

            lost += std::any_of(block, block + kBlock,
                                [&](uint8_t version) { return version < promised_[i]; });
        }
    }
    void Forget()
    {
        jobs_.erase(std::remove_if(jobs_.begin(), jobs_.end(),
                                   [](const std::unique_ptr<Request> &job) { return job->over; }),
                    jobs_.end());
    }

    Disk disk_;
    aiox_context *ctx_ = nullptr;
    std::string path_ = "/tmp/aiox-nbd-power-" + std::to_string(getpid());
    export_list lists_[2] = {};
    std::vector<std::unique_ptr<Request>> jobs_;
    std::vector<uint8_t> versions_ = std::vector<uint8_t>(kBlocks);
    std::vector<uint8_t> answered_ = std::vector<uint8_t>(kBlocks);
    std::vector<uint8_t> promised_ = std::vector<uint8_t>(kBlocks);
    std::vector<bool> busy_ = std::vector<bool>(kBlocks);
};

class PowerCutTest : public ::testing::TestWithParam<bool>
{
};

TEST_P(PowerCutTest, NothingThatFuaOrFlushAnsweredIsEverLost)
{
    int promises = 0;

    for (unsigned seed = 1; seed <= 20; seed++) {
        PowerCut cut(seed, GetParam(), false);

        cut.Run(300);
        EXPECT_EQ(cut.lost, 0) << "seed " << seed;
        promises += cut.promises;
    }
    EXPECT_GT(promises, 1000);
}

TEST_P(PowerCutTest, WithoutTheSyncsEverySeedWouldShowIt)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        PowerCut cut(seed, GetParam(), true);

        cut.Run(300);
        EXPECT_GT(cut.lost, 0) << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Ring, PowerCutTest, ::testing::Bool());

} // namespace
