/* SPDX-License-Identifier: MIT */
/* harness_test.cc - the harness fails what it must fail, and nothing else. */
#include <cstdio>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace
{
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Outcome {
    int status;
    std::string text;
};

/* Runs one test of faults.cc; @environment is "NAME=value ..." or empty. */
Outcome RunAlone(const std::string &test, const std::string &environment = "")
{
    std::string command =
        "exec env -u XML_OUTPUT_FILE -u TEST_PREMATURE_EXIT_FILE -u AIOX_TEST_FDMON " +
        environment + " test/harness/faults --gtest_filter=" + test + " 2>&1";
    Outcome outcome;
    FILE *pipe = popen(command.c_str(), "r");
    for (int c; (c = getc(pipe)) != EOF;) {
        outcome.text += static_cast<char>(c);
    }
    outcome.status = pclose(pipe);
    return outcome;
}

TEST(Harness, FailsATestThatLeaksADescriptor)
{
    Outcome outcome = RunAlone("Faults.LeaksADescriptor");

    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("leaked descriptor"), HasSubstr("[eventfd]")));
}

TEST(Harness, FailsATestThatLeaksAThread)
{
    Outcome outcome = RunAlone("Faults.LeaksAThread");

    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("leaked thread"), HasSubstr("(forgotten)")));
}

TEST(Harness, FailsATestThatClosesWhatIsNotItsOwn)
{
    Outcome outcome = RunAlone("Faults.ClosesWhatIsNotItsOwn");

    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, HasSubstr("closed descriptor 0, which was not the test's"));
}

TEST(Harness, FailsATestThatPutsAnotherFileInItsPlace)
{
    Outcome outcome = RunAlone("Faults.PutsAnotherFileInItsPlace");

    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, HasSubstr("descriptor 0 was closed and is now"));
}

TEST(Harness, TellsWhereEveryThreadOfAHangingTestIs)
{
    Outcome outcome = RunAlone("Faults.Hangs", "AIOX_TEST_WATCHDOG_SECONDS=1");

    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, HasSubstr("watchdog: Faults.Hangs hangs"));
    std::string::size_type first = outcome.text.find(" WaitForEverInATest");
    ASSERT_NE(first, std::string::npos) << outcome.text;
    EXPECT_NE(outcome.text.find(" WaitForEverInATest", first + 1), std::string::npos)
        << outcome.text;
}

TEST(Harness, TellsWhereATestCrashed)
{
    Outcome outcome = RunAlone("Faults.Crashes");

    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, HasSubstr("SIGABRT"));
    EXPECT_THAT(outcome.text, HasSubstr("Faults_Crashes_Test::TestBody"));
}

TEST(Harness, LetsCleanTestsPass)
{
    for (const char *test :
         {"Clean.OpensAndCloses", "Clean.JoinsManyThreads", "Clean.DiesInAChild"}) {
        Outcome outcome = RunAlone(test);

        EXPECT_EQ(outcome.status, 0) << outcome.text;
        EXPECT_THAT(outcome.text, HasSubstr("[  PASSED  ] 1 test."));
    }
}

TEST(Harness, TheStampOfATestBeatsTheCallersBackend)
{
    Outcome outcome =
        RunAlone("Clean.TellsItsEnvironment", "AIOX_FDMON=epoll AIOX_TEST_FDMON=poll");

    EXPECT_THAT(outcome.text, HasSubstr("AIOX_FDMON=poll\n"));
}

TEST(Harness, WithoutAStampTheCallersBackendStays)
{
    Outcome outcome = RunAlone("Clean.TellsItsEnvironment", "AIOX_FDMON=epoll AIOX_FDMON_PATH=/x");

    EXPECT_THAT(outcome.text,
                AllOf(HasSubstr("AIOX_FDMON=epoll\n"), HasSubstr("AIOX_FDMON_PATH=/x\n")));
}
} // namespace
