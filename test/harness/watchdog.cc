/* SPDX-License-Identifier: MIT */
/*
 * watchdog.cc - one timer; its signal asks every thread in turn for its stack.
 *
 * The handlers run in a program that hangs and is about to end, so they take no
 * lock and allocate nothing. The name of the test is copied when it starts:
 * asking googletest for it takes a mutex.
 */
#include "test/harness/watchdog.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

#include "test/harness/stack.h"

namespace aiox_test
{
namespace
{
constexpr int kMargin = 5;
constexpr int kDefaultSeconds = 55;
constexpr int64_t kAnswerNs = 2000000000;

char current_test[256] = "(between tests)";
int allowed_seconds;
std::atomic<int> answers{0};

int TimerSignal()
{
    return SIGRTMAX - 2;
}

int StackSignal()
{
    return SIGRTMAX - 3;
}

/* The one who was asked. */
void Answer(int)
{
    PrintStack();
    answers.fetch_add(1);
}

int64_t NowNs()
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

void PrintThreadName(int tid)
{
    char text[64];
    snprintf(text, sizeof(text), "/proc/self/task/%d/comm", tid);
    char name[32] = "?\n";
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        name[std::max<ssize_t>(read(fd, name, sizeof(name) - 1), 0)] = '\0';
        close(fd);
    }
    snprintf(text, sizeof(text), "thread %d, %s", tid, name);
    Print(text);
}

void AskForStack(int tid)
{
    PrintThreadName(tid);
    if (tid == gettid()) {
        PrintStack();
        return;
    }
    int before = answers.load();
    int64_t deadline_ns = NowNs() + kAnswerNs;
    syscall(SYS_tgkill, getpid(), tid, StackSignal());
    while (answers.load() == before && NowNs() < deadline_ns) {
        sched_yield();
    }
    if (answers.load() == before) {
        Print("    no answer\n");
    }
}

/* getdents64() into a buffer of our own: opendir() would allocate. */
void AskAllThreads()
{
    struct Entry {
        uint64_t ino;
        int64_t off;
        uint16_t size;
        uint8_t type;
        char name[1];
    };
    alignas(Entry) static char buffer[16384];
    int dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long n;
    while ((n = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < n;) {
            const auto *entry = reinterpret_cast<const Entry *>(buffer + at);
            int tid = atoi(entry->name);
            if (tid > 0) {
                AskForStack(tid);
            }
            at += entry->size;
        }
    }
}

void TimeIsUp(int)
{
    char line[400];
    snprintf(line, sizeof(line), "watchdog: %s hangs; the program has run for %d s\n", current_test,
             allowed_seconds);
    Print(line);
    AskAllThreads();
    signal(SIGABRT, SIG_DFL);
    abort();
}

class NameKeeper : public ::testing::EmptyTestEventListener
{
  public:
    void OnTestStart(const ::testing::TestInfo &info) override
    {
        snprintf(current_test, sizeof(current_test), "%s.%s", info.test_suite_name(), info.name());
    }
};

int AllowedSeconds()
{
    if (const char *seconds = getenv("AIOX_TEST_WATCHDOG_SECONDS")) {
        return atoi(seconds);
    }
    if (const char *timeout = getenv("TEST_TIMEOUT")) {
        return std::max(atoi(timeout) - kMargin, 1);
    }
    return kDefaultSeconds;
}

void Handle(int signal, void (*handler)(int))
{
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, StackSignal());
    sigaction(signal, &action, nullptr);
}
} // namespace

void StartWatchdog()
{
    allowed_seconds = AllowedSeconds();
    if (allowed_seconds <= 0) {
        return;
    }
    ::testing::UnitTest::GetInstance()->listeners().Append(new NameKeeper);
    Handle(StackSignal(), Answer);
    Handle(TimerSignal(), TimeIsUp);
    struct sigevent event = {};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = TimerSignal();
    timer_t timer;
    itimerspec when = {};
    when.it_value.tv_sec = allowed_seconds;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &when, nullptr) != 0) {
        perror("watchdog");
        abort();
    }
}
} // namespace aiox_test
