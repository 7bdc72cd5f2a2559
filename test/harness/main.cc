/* SPDX-License-Identifier: MIT */
/*
 * main.cc - the main function of every test.
 *
 * Sets the environment before any test or library looks at it:
 *   AIOX_FDMON       is AIOX_TEST_FDMON if that is set (aiox_backend_test stamps it)
 *   AIOX_FDMON_PATH  is the plugin directory of the runfiles, unless set
 * Then: a crash prints its stack, a leak fails its test, a hang is cut short.
 */
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "test/harness/leaks.h"
#include "test/harness/stack.h"
#include "test/harness/watchdog.h"

namespace
{
namespace fs = std::filesystem;

void SetEnvironment()
{
    if (const char *backend = std::getenv("AIOX_TEST_FDMON")) {
        setenv("AIOX_FDMON", backend, 1);
    }
    fs::path plugins = fs::current_path() / "lib/aiox/fdmon-1";
    if (fs::is_directory(plugins)) {
        setenv("AIOX_FDMON_PATH", plugins.c_str(), 0);
    }
}
} // namespace

int main(int argc, char **argv)
{
    SetEnvironment();
    aiox_test::InstallCrashHandler(argv[0]);
    ::testing::InitGoogleTest(&argc, argv);
    ::testing::UnitTest::GetInstance()->listeners().Append(aiox_test::NewLeakListener());
    aiox_test::StartWatchdog();
    return RUN_ALL_TESTS();
}
