/* SPDX-License-Identifier: MIT */
/*
 * cow_test.cc - copy on write over two layers that the test plays, and over a file.
 */
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "aiox/aiox.h"
#include "apps/nbd_server/export_cow.h"
#include "transmission_fixture.h"

namespace
{

using nbd_test::kSize;
using nbd_test::Scripted;

constexpr uint64_t kBlock = 4096;
constexpr uint32_t kEmpty = EXPORT_HOLE | EXPORT_ZERO;

class CowTest : public ::testing::Test
{
  protected:
    CowTest()
    {
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        overlay_.disk.assign(kSize, '\0');
        overlay_.extents = {{kSize, kEmpty}};
    }
    ~CowTest() override
    {
        End();
        if (e_) {
            e_->ops->close(e_);
        }
        aiox_context_unref(ctx_);
    }

    void Open(uint64_t bytes_max = 0, bool at_once = true)
    {
        cow_layers layers = {&below_.base, &overlay_.base, bytes_max, nullptr};

        below_.at_once = overlay_.at_once = at_once;
        ASSERT_EQ(export_cow_over(&e_, ctx_, &layers), 0);
    }

    struct Job {
        export_io io; /* first */
        std::string data;
        export_extent extents[16];
        int result = 1; /* not done */
    };
    Job *NewJob(uint64_t offset, uint64_t bytes, const std::string &data = "")
    {
        jobs_.push_back(std::make_unique<Job>());
        Job *job = jobs_.back().get();

        job->io = {};
        job->data = data.empty() ? std::string(bytes, '?') : data;
        job->io.offset = offset;
        job->io.bytes = bytes;
        job->io.data = reinterpret_cast<uint8_t *>(job->data.data());
        job->io.extents = job->extents;
        job->io.extent_max = 16;
        job->io.done = [](export_io *io, int result) {
            EXPECT_EQ(reinterpret_cast<Job *>(io)->result, 1);
            reinterpret_cast<Job *>(io)->result = result;
        };
        return job;
    }
    Job *Write(uint64_t offset, const std::string &data)
    {
        Job *job = NewJob(offset, data.size(), data);

        e_->ops->write(e_, &job->io);
        return job;
    }
    Job *Zero(uint64_t offset, uint64_t bytes)
    {
        Job *job = NewJob(offset, bytes);

        e_->ops->zero(e_, &job->io);
        return job;
    }
    Job *Trim(uint64_t offset, uint64_t bytes)
    {
        Job *job = NewJob(offset, bytes);

        e_->ops->trim(e_, &job->io);
        return job;
    }
    Job *Read(uint64_t offset, uint64_t bytes)
    {
        Job *job = NewJob(offset, bytes);

        e_->ops->read(e_, &job->io);
        return job;
    }
    std::string Map(uint64_t offset, uint64_t bytes, uint32_t max = 16)
    {
        Job *job = NewJob(offset, bytes);
        std::string words;

        job->io.extent_max = max;
        e_->ops->map(e_, &job->io);
        EXPECT_EQ(job->result, 0);
        for (uint32_t i = 0; i < job->io.extent_count; i++) {
            words += (i ? " " : "") + std::string(job->extents[i].state ? "h" : "d") +
                     std::to_string(job->extents[i].bytes);
        }
        return words;
    }
    /* Ends everything at the layers, and what comes of that. */
    void End()
    {
        do {
            while (!below_.asked.empty()) {
                below_.End(0);
            }
            while (!overlay_.asked.empty()) {
                overlay_.End(0);
            }
        } while (aiox_poll(ctx_, false) || !below_.asked.empty() || !overlay_.asked.empty());
    }

    aiox_context *ctx_ = nullptr;
    Scripted below_, overlay_;
    nbd_export *e_ = nullptr;
    std::vector<std::unique_ptr<Job>> jobs_;
};

TEST_F(CowTest, WhatWasNotWrittenIsWhatIsBelow)
{
    Open();
    below_.disk.replace(5000, 5, "below");

    EXPECT_EQ(Read(4998, 9)->data, "..below..");
    EXPECT_EQ(overlay_.log, "");
}

TEST_F(CowTest, WhatWasWrittenIsReadBackAndNothingBelowChanges)
{
    Open();
    std::string before = below_.disk;

    EXPECT_EQ(Write(4090, "over the edge")->result, 0);

    EXPECT_EQ(Read(4088, 17)->data, "..over the edge..");
    EXPECT_EQ(below_.disk, before);
    EXPECT_EQ(below_.log.find_first_not_of("r"), std::string::npos);
}

TEST_F(CowTest, AWholeBlockIsNotCopiedUpFirst)
{
    Open();

    Write(kBlock, std::string(2 * kBlock, 'w'));

    EXPECT_EQ(below_.log, "");
    EXPECT_EQ(overlay_.log, "w");
}

TEST_F(CowTest, ABlockIsCopiedUpOnce)
{
    Open();

    Write(10, "first");
    Write(20, "second");

    EXPECT_EQ(below_.log, "r");
    EXPECT_EQ(overlay_.log, "www");
}

TEST_F(CowTest, AReadAcrossBothLayersIsPutTogether)
{
    Open();
    Write(kBlock, std::string(kBlock, 'w'));
    below_.log = overlay_.log = "";

    std::string data = Read(0, 3 * kBlock)->data;

    EXPECT_EQ(data, std::string(kBlock, '.') + std::string(kBlock, 'w') + std::string(kBlock, '.'));
    EXPECT_EQ(below_.log + overlay_.log, "rrr");
}

TEST_F(CowTest, ZeroHidesWhatIsBelowToTheByte)
{
    Open();

    Zero(100, 3 * kBlock);

    EXPECT_EQ(Read(99, 3 * kBlock + 2)->data, "." + std::string(3 * kBlock, '\0') + ".");
}

TEST_F(CowTest, TrimGivesBackWhatIsInTheOverlayOnly)
{
    Open();
    Write(kBlock, std::string(2 * kBlock, 'w'));
    overlay_.log = "";

    EXPECT_EQ(Trim(0, 8 * kBlock)->result, 0);

    EXPECT_EQ(overlay_.log, "t");
    EXPECT_EQ(Read(0, 1)->data, ".");
}

TEST_F(CowTest, TheMapIsThatOfBothLayers)
{
    Open();
    below_.extents = {{4 * kBlock, 0}, {kSize - 4 * kBlock, kEmpty}};
    overlay_.extents = {{8 * kBlock, kEmpty}, {2 * kBlock, 0}, {kSize - 10 * kBlock, kEmpty}};

    Zero(kBlock, kBlock);
    Write(8 * kBlock, std::string(2 * kBlock, 'w'));

    EXPECT_EQ(Map(0, 16 * kBlock), "d4096 h4096 d8192 h16384 d8192 h24576");
    EXPECT_EQ(Map(0, 16 * kBlock, 2), "d4096 h4096");
    EXPECT_EQ(Map(kBlock + 1, 10), "h10");
}

TEST_F(CowTest, AFlushHasNothingToDo)
{
    Open();
    Job *job = NewJob(0, 0);

    e_->ops->flush(e_, &job->io);

    EXPECT_EQ(job->result, 0);
    EXPECT_EQ(below_.log + overlay_.log, "");
}

TEST_F(CowTest, NoMoreThanAgreedIsWritten)
{
    Open(2 * kBlock);

    EXPECT_EQ(Write(0, std::string(3 * kBlock, 'w'))->result, -ENOSPC);
    EXPECT_EQ(Write(0, std::string(2 * kBlock, 'w'))->result, 0);
    EXPECT_EQ(Write(2 * kBlock, "x")->result, -ENOSPC);
    EXPECT_EQ(Zero(2 * kBlock, 1)->result, -ENOSPC);
    EXPECT_EQ(Write(10, "again")->result, 0);
    EXPECT_EQ(Read(2 * kBlock, 1)->data, ".");
}

TEST_F(CowTest, ErrorsOfALayerAreTold)
{
    Open(0, false);

    Job *write = Write(10, "x");
    below_.End(0, -EIO);
    Job *read = Read(0, 512);
    below_.End(0, -EBADF);
    Job *full = Write(kBlock, std::string(kBlock, 'w'));
    overlay_.End(0, -ENOSPC);
    Job *after = Read(kBlock, 1);
    End();

    EXPECT_EQ(write->result, -EIO);
    EXPECT_EQ(read->result, -EBADF);
    EXPECT_EQ(full->result, -ENOSPC);
    EXPECT_EQ(after->data, "."); /* nothing was acknowledged */
}

TEST_F(CowTest, TwoPartsOfABlockWrittenAtOnceAreBothThere)
{
    Open(0, false);

    Job *one = Write(0, "one");
    Job *two = Write(100, "two");
    EXPECT_EQ(below_.asked.size(), 1u); /* the second waits for its turn */
    End();

    EXPECT_EQ(one->result + two->result, 0);
    EXPECT_EQ(overlay_.disk.substr(0, 3) + overlay_.disk.substr(100, 3), "onetwo");
    EXPECT_EQ(overlay_.disk[50], '.');
}

TEST_F(CowTest, AWholeBlockIsNotUndoneByACopy)
{
    Open(0, false);

    Write(0, "part");
    Write(0, std::string(kBlock, 'W'));
    End();

    EXPECT_EQ(overlay_.disk.substr(0, kBlock), std::string(kBlock, 'W'));
}

TEST_F(CowTest, OtherBlocksNeedNotWait)
{
    Open(0, false);

    Write(0, "part");
    Write(kBlock, std::string(kBlock, 'W'));

    EXPECT_EQ(below_.log, "r");
    EXPECT_EQ(overlay_.log, "w");
}

TEST_F(CowTest, WhoWaitsIsNotOvertakenForEver)
{
    Open(0, false);

    Write(0, std::string(kBlock, 'a'));
    Write(0, std::string(2 * kBlock, 'b'));
    Write(kBlock, std::string(kBlock, 'c')); /* free, but wanted by one who came earlier */

    EXPECT_EQ(overlay_.asked.size(), 1u);
    End();
    EXPECT_EQ(overlay_.disk.substr(0, 2 * kBlock),
              std::string(kBlock, 'b') + std::string(kBlock, 'c'));
}

TEST_F(CowTest, ManyChangesAtOnceInAnyOrderAreAllThere)
{
    constexpr uint64_t kSector = 512, kSlots = 8, kSectors = kSize / kSector;
    std::mt19937 random(11);
    std::string model(kSectors * kSector, '.');
    std::map<uint64_t, Job *> busy;
    Open(0, false);

    for (int turn = 0; turn < 20000; turn++) {
        uint64_t slot = random() % kSlots;
        uint64_t sector = random() % (kSectors / kSlots) * kSlots + slot;

        if (busy.count(slot) == 0 || busy[slot]->result != 1) {
            char c = static_cast<char>('a' + random() % 26);

            busy[slot] = random() % 4 ? Write(sector * kSector, std::string(kSector, c))
                                      : Zero(sector * kSector, kSector);
            bool zero = busy[slot]->data[0] == '?';
            model.replace(sector * kSector, kSector, kSector, zero ? '\0' : c);
        }
        Scripted &layer = random() % 2 ? below_ : overlay_;
        if (!layer.asked.empty()) {
            layer.End(random() % layer.asked.size());
        }
        aiox_poll(ctx_, false);
        if (turn % 1000 == 999) {
            End();
            Job *all = Read(0, model.size());
            End();
            ASSERT_TRUE(all->data == model) << turn;
            busy.clear();
            jobs_.clear();
        }
    }
}

/* ---- over a file ---- */

TEST_F(CowTest, OverAFileTheFileStaysAsItIs)
{
    std::string path = "/tmp/aiox-nbd-cow-" + std::to_string(getpid());
    std::ofstream(path) << std::string(10000, 'f');
    export_spec spec = {};
    export_list list = {};
    spec.name = "snap";
    spec.source = path.c_str();
    spec.cow = true;
    ASSERT_EQ(chmod(path.c_str(), 0400), 0);
    ASSERT_EQ(export_list_open(&list, ctx_, &spec, nullptr), 0);
    e_ = list.first;

    EXPECT_EQ(e_->size_bytes, 10000u);
    EXPECT_FALSE(e_->read_only);
    Job *write = Write(9990, "the end...");
    while (write->result == 1) {
        aiox_poll(ctx_, true);
    }
    Job *read = Read(9980, 20);
    while (read->result == 1) {
        aiox_poll(ctx_, true);
    }

    EXPECT_EQ(read->data, "ffffffffffthe end...");
    std::string content;
    std::ifstream(path) >> content;
    EXPECT_EQ(content, std::string(10000, 'f'));
    e_ = nullptr;
    export_list_close(&list);
    unlink(path.c_str());
}

TEST_F(CowTest, ReadOnlyNeedsNoOverlay)
{
    export_spec spec = {};
    export_list list = {};
    spec.name = "";
    spec.source = "memory:4k";
    spec.cow = spec.read_only = true;

    ASSERT_EQ(export_list_open(&list, ctx_, &spec, nullptr), 0);

    EXPECT_TRUE(list.first->read_only);
    export_list_close(&list);
}

} // namespace
