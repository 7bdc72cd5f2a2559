/* SPDX-License-Identifier: MIT */
/*
 * faults.cc - tests that each do one thing the harness forbids, and a few that
 * do not. harness_test.cc runs them one by one and looks at what they say.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

extern "C" __attribute__((noinline)) void WaitForEverInATest()
{
    for (;;) {
        pause();
    }
}

static void StartForgottenThread()
{
    std::thread forgotten([] { WaitForEverInATest(); });
    pthread_setname_np(forgotten.native_handle(), "forgotten");
    forgotten.detach();
}

TEST(Faults, LeaksADescriptor)
{
    ASSERT_GE(eventfd(0, EFD_CLOEXEC), 0);
}

TEST(Faults, LeaksAThread)
{
    StartForgottenThread();
}

TEST(Faults, ClosesWhatIsNotItsOwn)
{
    close(STDIN_FILENO);
}

TEST(Faults, PutsAnotherFileInItsPlace)
{
    int file = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    dup2(file, STDIN_FILENO);
    close(file);
}

TEST(Faults, Hangs)
{
    StartForgottenThread();
    WaitForEverInATest();
}

TEST(Faults, Crashes)
{
    abort();
}

TEST(Clean, OpensAndCloses)
{
    close(eventfd(0, EFD_CLOEXEC));
}

TEST(Clean, JoinsManyThreads)
{
    for (int i = 0; i < 200; i++) {
        std::thread([] {}).join();
    }
}

TEST(Clean, DiesInAChild)
{
    EXPECT_EXIT(abort(), ::testing::KilledBySignal(SIGABRT), "");
}

TEST(Clean, TellsItsEnvironment)
{
    for (const char *name : {"AIOX_FDMON", "AIOX_FDMON_PATH"}) {
        const char *value = std::getenv(name);
        printf("%s=%s\n", name, value ? value : "(unset)");
    }
}
