/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points that AIOX_TRACE prints. Each case is a process of its own. */
#include <cerrno>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aiox/aiox.h"
#include "aiox/bh.h"
#include "aiox/trace.h"

namespace
{
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

void Nothing(void *)
{
}

/* A loop that runs one bottom half, and the end of the process. */
[[noreturn]] void LiveWith(const char *trace)
{
    aiox_context *ctx;

    setenv("AIOX_TRACE", trace, 1);
    if (aiox_new(&ctx, nullptr) != 0 ||
        aiox_bh_schedule_oneshot(ctx, "seen", Nothing, nullptr) != 0) {
        _exit(1);
    }
    errno = 77;
    bool progress = aiox_poll(ctx, false);
    int error = errno;
    aiox_context_unref(ctx);
    _exit(progress && error == 77 ? 0 : 2);
}

TEST(FrontTraceDeathTest, RoomsThatAreNamedArePrinted)
{
    EXPECT_EXIT(
        LiveWith("timer,bh"), ExitedWithCode(0),
        AllOf(ContainsRegex("aiox [0-9]+\\.[0-9]+ \\[[0-9]+\\] bh run 0x[0-9a-f]+ \"seen\""),
              Not(HasSubstr(" aio "))));
}

TEST(FrontTraceDeathTest, AllIsEveryRoom)
{
    EXPECT_EXIT(LiveWith("all"), ExitedWithCode(0),
                AllOf(HasSubstr(" bh run "), HasSubstr(" aio poll_enter "),
                      ContainsRegex(" aio backend 0x[0-9a-f]+ \"")));
}

TEST(FrontTraceDeathTest, APartOfANameIsNoneAndThatIsSaid)
{
    EXPECT_EXIT(LiveWith("b,bhx,xbh"), ExitedWithCode(0),
                AllOf(HasSubstr("no room 'b'"), HasSubstr("no room 'bhx'"),
                      HasSubstr("no room 'xbh'"), Not(HasSubstr("bh run"))));
}

TEST(FrontTraceDeathTest, WithoutTheVariableNothingIsPrinted)
{
    EXPECT_EXIT(LiveWith(""), ExitedWithCode(0), IsEmpty());
}

TEST(FrontTraceDeathTest, WhoFreezesItsChildrenFreezesThisToo)
{
    EXPECT_EXIT((setenv("AIOX_NO_ENV", "1", 1), LiveWith("all")), ExitedWithCode(0), IsEmpty());
}

TEST(FrontTraceDeathTest, AHookOfTheProgramStays)
{
    auto hook = [](void *, const char *, const char *, uint64_t, uint64_t) {};

    EXPECT_EXIT((aiox_trace_set_hook(hook, nullptr), LiveWith("all")), ExitedWithCode(0),
                IsEmpty());
}
} // namespace
