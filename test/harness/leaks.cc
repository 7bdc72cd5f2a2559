/* SPDX-License-Identifier: MIT */
/*
 * leaks.cc - counts what a test leaves behind.
 *
 * A descriptor is known by its number and by what fstat() says: a number that
 * was closed and now names another file is a fault too. (All eventfds, timers
 * and rings share one inode; between those an exchange is not seen.)
 *
 * A joined thread stays in /proc for a moment after pthread_join(), so threads
 * get until a deadline to go.
 */
#include "test/harness/leaks.h"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace aiox_test
{
namespace
{
namespace fs = std::filesystem;

using FileId = std::pair<dev_t, ino_t>;
using Files = std::map<int, FileId>;
using Threads = std::map<int, std::string>;

constexpr std::chrono::seconds kTimeToExit(3);

/* The numbers that name the entries of a directory of /proc/self. */
std::vector<int> Entries(const char *dir)
{
    std::vector<int> numbers;
    for (const auto &entry : fs::directory_iterator(dir)) {
        numbers.push_back(std::stoi(entry.path().filename()));
    }
    return numbers;
}

Files OpenFiles()
{
    Files files;
    for (int fd : Entries("/proc/self/fd")) {
        struct stat st;
        if (fstat(fd, &st) == 0) { /* the directory's own descriptor is closed by now */
            files[fd] = {st.st_dev, st.st_ino};
        }
    }
    return files;
}

Threads LiveThreads()
{
    Threads threads;
    for (int tid : Entries("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream("/proc/self/task/" + std::to_string(tid) + "/comm"), name);
        if (name.rfind("iou-wrk-", 0) != 0) {
            threads[tid] = name;
        }
    }
    return threads;
}

std::string NameOf(int fd)
{
    std::error_code gone;
    return fs::read_symlink("/proc/self/fd/" + std::to_string(fd), gone);
}

class LeakListener : public ::testing::EmptyTestEventListener
{
  public:
    void OnTestStart(const ::testing::TestInfo &) override
    {
        files_ = OpenFiles();
        threads_ = LiveThreads();
    }

    void OnTestEnd(const ::testing::TestInfo &info) override
    {
        if (info.result()->Failed()) {
            return; /* an ASSERT that leaves early leaks as well; one fault is enough */
        }
        CheckThreads();
        CheckFiles();
    }

  private:
    Threads NewThreads() const
    {
        Threads fresh = LiveThreads();
        for (const auto &[tid, name] : threads_) {
            fresh.erase(tid);
        }
        return fresh;
    }

    void CheckThreads() const
    {
        const auto deadline = std::chrono::steady_clock::now() + kTimeToExit;
        Threads fresh = NewThreads();
        while (!fresh.empty() && std::chrono::steady_clock::now() < deadline) {
            sched_yield();
            fresh = NewThreads();
        }
        for (const auto &[tid, name] : fresh) {
            ADD_FAILURE() << "leaked thread " << tid << " (" << name << ")";
        }
    }

    void CheckFiles() const
    {
        const Files now = OpenFiles();
        for (const auto &[fd, id] : now) {
            const auto before = files_.find(fd);
            if (before == files_.end()) {
                ADD_FAILURE() << "leaked descriptor " << fd << " (" << NameOf(fd) << ")";
            } else if (before->second != id) {
                ADD_FAILURE() << "descriptor " << fd << " was closed and is now " << NameOf(fd);
            }
        }
        for (const auto &[fd, id] : files_) {
            if (now.count(fd) == 0) {
                ADD_FAILURE() << "closed descriptor " << fd << ", which was not the test's";
            }
        }
    }

    Files files_;
    Threads threads_;
};
} // namespace

::testing::TestEventListener *NewLeakListener()
{
    std::thread([] {}).join(); /* ThreadSanitizer starts its own thread with the first of ours */
    return new LeakListener;
}
} // namespace aiox_test
