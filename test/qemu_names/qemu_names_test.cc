/* SPDX-License-Identifier: MIT */
/* qemu_names_test.cc - a program in the original names compiles and runs, whatever its age. */
#include <gtest/gtest.h>

#include "test/qemu_names/names.h"

namespace
{
struct Part {
    const char *name;
    const char *(*run)(void);
};

const Part parts[] = {
    {"BottomHalves2025", bottom_halves_2025},
    {"Descriptors2025", descriptors_2025},
    {"Notifiers2025", notifiers_2025},
    {"Timers2025", timers_2025},
    {"Coroutines2025", coroutines_2025},
    {"TwoContexts2025", two_contexts_2025},
    {"LockCnt2025", lockcnt_2025},
    {"Requests2025", requests_2025},
    {"Errors2025", errors_2025},
    {"MainLoop2025", main_loop_2025},
    {"ThreadPool2025", thread_pool_2025},
    {"IOThread2025", iothread_2025},
    {"Channels2025", channels_2025},
    {"Borrowing2025", borrowing_2025},
    {"Locks2025", locks_2025},
    {"GraphLock2025", graph_lock_2025},
    {"GSource2025", g_source_2025},
    {"SocketAddresses2025", socket_addresses_2025},
    {"Sockets2025", sockets_2025},
    {"NetListener2025", net_listener_2025},
    {"ChannelKinds2025", channel_kinds_2025},
    {"RestOfContexts2025", rest_of_contexts_2025},
    {"RestOfTimers2025", rest_of_timers_2025},
    {"RestOfTheMainLoop2025", rest_of_the_main_loop_2025},
    {"RestOfCoroutines2025", rest_of_coroutines_2025},
    {"RestOfTheThreadPool2025", rest_of_the_thread_pool_2025},
    {"RestOfChannels2025", rest_of_channels_2025},
    {"Between2024", between_2024},
    {"Between2022", between_2022},
    {"Between2021", between_2021},
    {"Between2018", between_2018},
    {"Between2016", between_2016},
    {"Between2015", between_2015},
    {"Queue2014", queue_2014},
    {"Queue2013", queue_2013},
    {"ThreadPool2014", thread_pool_2014},
    {"ThreadPool2013", thread_pool_2013},
    {"Descriptors2014", descriptors_2014},
    {"Coroutines2014", coroutines_2014},
    {"Descriptors2013", descriptors_2013},
    {"Coroutines2013", coroutines_2013},
};

class OriginalNames : public ::testing::TestWithParam<Part>
{
};

TEST_P(OriginalNames, CompileAndRun)
{
    const char *wrong = GetParam().run();

    EXPECT_EQ(wrong, nullptr) << wrong;
}

INSTANTIATE_TEST_SUITE_P(Each, OriginalNames, ::testing::ValuesIn(parts),
                         [](const ::testing::TestParamInfo<Part> &part) {
                             return std::string(part.param.name);
                         });

} // namespace
