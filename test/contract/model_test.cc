/* SPDX-License-Identifier: MIT */
/*
 * model_test.cc - random programs: what a monitor reports is compared with a
 * model that knows which descriptors are open, watched and ready.
 */
#include "fdmon_contract.h"

#include <fcntl.h>
#include <random>
#include <unistd.h>

namespace contract
{
namespace
{

constexpr int kSlots = 12;

struct Slot {
    Fd fd;
    Fd duplicate; /* may keep the last file alive */
    uint32_t asked = 0;
    uint64_t token = 0;
    bool ready = false;
    bool was_ready = false; /* at some moment since the last collect() */
    bool news = false;      /* something has happened since then */
};

class Program
{
  public:
    Program(const aiox_fdmon_plugin *plugin, Host *host, unsigned seed)
        : queues_(plugin->caps & AIOX_FDMON_CAP_PENDING), random_(seed), mon_(plugin, host)
    {
    }

    void Run(int steps)
    {
        for (int i = 0; i < steps && !::testing::Test::HasFailure(); i++) {
            SCOPED_TRACE("step " + std::to_string(i));
            Step(slots_[random_() % kSlots]);
        }
    }

  private:
    void Step(Slot &slot)
    {
        if (slot.fd.get() < 0) {
            slot.ready = random_() % 2;
            slot.fd = Event(slot.ready ? 1 : 0);
        }
        switch (random_() % 10) {
        case 0:
        case 1:
        case 2:
            return Watch(slot);
        case 3:
            return Stop(slot);
        case 4:
            return Close(slot);
        case 5:
            slot.ready = false;
            Silence(slot.fd.get());
            return;
        case 6:
        case 7:
            slot.ready = true;
            slot.was_ready = true;
            slot.news = true;
            return Ring(slot.fd.get());
        default:
            return Collect();
        }
    }

    void Watch(Slot &slot)
    {
        const uint32_t ask[] = {AIOX_FD_READ, AIOX_FD_READ | AIOX_FDMON_DRAINS, AIOX_FD_WRITE,
                                AIOX_FD_READ | AIOX_FD_WRITE};

        slot.asked = ask[random_() % 4];
        slot.token = ++last_token_;
        slot.was_ready = slot.ready;
        slot.news = true;
        ASSERT_EQ(mon_.Watch(slot.fd.get(), slot.asked, slot.token), 0);
    }

    void Stop(Slot &slot)
    {
        if (slot.asked) {
            ASSERT_EQ(mon_.Stop(slot.fd.get()), 0);
            slot.asked = 0;
        }
    }

    void Close(Slot &slot)
    {
        int number = slot.fd.get();
        bool watched = slot.asked;

        slot.duplicate.reset(random_() % 2 ? fcntl(number, F_DUPFD_CLOEXEC, 0) : -1);
        if (random_() % 2) {
            Stop(slot);
            watched = false;
        }
        slot.fd.reset();
        if (watched) { /* too late, as careless programs do */
            ASSERT_EQ(mon_.Stop(number), 0);
            slot.asked = 0;
        }
    }

    void Collect()
    {
        Reports reports = mon_.Look();

        for (Slot &slot : slots_) {
            uint32_t said = 0;
            auto report = reports.find(slot.token);
            if (report != reports.end()) {
                said = report->second;
                reports.erase(report);
            }
            Compare(slot, said);
            slot.was_ready = slot.ready;
            slot.news = false;
        }
        EXPECT_TRUE(reports.empty()) << "an old token: " << reports.begin()->first;
    }

    void Compare(const Slot &slot, uint32_t said)
    {
        bool drains = slot.asked & AIOX_FDMON_DRAINS;
        bool late = drains || queues_;
        uint32_t is = (slot.ready ? AIOX_FD_READ : 0) | AIOX_FD_WRITE;
        uint32_t was = (slot.was_ready && late ? AIOX_FD_READ : 0) | is;

        if (!drains || slot.news) {
            EXPECT_EQ(said & is, slot.asked & is) << slot.fd.get();
        }
        EXPECT_EQ(said & ~(slot.asked & was), 0u) << slot.fd.get();
    }

    bool queues_; /* reports what was so when it happened, not what is so now */
    std::mt19937 random_;
    Monitor mon_;
    Slot slots_[kSlots];
    uint64_t last_token_ = 0;
};

TEST_P(FdmonContract, RandomProgramsAgreeWithTheModel)
{
    for (unsigned seed = 0; seed < 60; seed++) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Program program(plugin(), &host_, seed);

        program.Run(1000);

        ASSERT_FALSE(HasFailure());
    }
}

} // namespace
} // namespace contract
