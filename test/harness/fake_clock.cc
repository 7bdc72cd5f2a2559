/* SPDX-License-Identifier: MIT */
#include "test/harness/fake_clock.h"

#include "aiox/assert.h"

namespace aiox_test
{
namespace
{
std::atomic<int> alive{0};
} // namespace

FakeClock::FakeClock(int64_t now_ns, int64_t wall_ns)
    : now_ns_(now_ns), wall_ns_(wall_ns), source_{&FakeClock::ReadNow, &FakeClock::ReadWall, this}
{
    aiox_assert(alive.fetch_add(1) == 0);
    aiox_clock_set_source(&source_);
}

FakeClock::~FakeClock()
{
    aiox_clock_set_source(nullptr);
    alive--;
}

int64_t FakeClock::Now() const
{
    return now_ns_;
}

int64_t FakeClock::Wall() const
{
    return wall_ns_;
}

void FakeClock::Advance(int64_t ns)
{
    now_ns_ += ns;
    wall_ns_ += ns;
}

void FakeClock::Jump(int64_t ns)
{
    wall_ns_ += ns;
}

int64_t FakeClock::ReadNow(void *self)
{
    return static_cast<FakeClock *>(self)->Now();
}

int64_t FakeClock::ReadWall(void *self)
{
    return static_cast<FakeClock *>(self)->Wall();
}
} // namespace aiox_test
