/* SPDX-License-Identifier: MIT */
/*
 * scenery.cc - descriptors, children and clocks for the tests.
 */
#include "scenery.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace contract
{

Fd &Fd::operator=(Fd &&other) noexcept
{
    reset(other.release());
    return *this;
}

Fd::~Fd()
{
    reset();
}

int Fd::release()
{
    int fd = fd_;

    fd_ = -1;
    return fd;
}

void Fd::reset(int fd)
{
    if (fd_ >= 0) {
        close(fd_);
    }
    fd_ = fd;
}

Fd Event(uint64_t value)
{
    Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));

    if (value) {
        EXPECT_EQ(write(fd.get(), &value, sizeof(value)), (ssize_t)sizeof(value));
    }
    return fd;
}

void Ring(int fd)
{
    uint64_t one = 1;

    EXPECT_EQ(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
}

uint64_t Silence(int fd)
{
    uint64_t value = 0;

    return read(fd, &value, sizeof(value)) == (ssize_t)sizeof(value) ? value : 0;
}

Pair Pipe()
{
    int fds[2];

    EXPECT_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

Pair UnixPair()
{
    int fds[2];

    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

Pair TcpPair()
{
    Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at = {};
    socklen_t bytes = sizeof(at);
    Pair pair;

    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener.get(), (sockaddr *)&at, sizeof(at)), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    EXPECT_EQ(getsockname(listener.get(), (sockaddr *)&at, &bytes), 0);
    pair.b.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(pair.b.get(), (sockaddr *)&at, sizeof(at)), 0);
    pair.a.reset(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    fcntl(pair.b.get(), F_SETFL, O_NONBLOCK);
    return pair;
}

void WriteByte(int fd)
{
    EXPECT_EQ(write(fd, "x", 1), 1);
}

void Drain(int fd)
{
    char buffer[4096];

    while (read(fd, buffer, sizeof(buffer)) > 0) {
    }
}

void Fill(int fd)
{
    char buffer[4096] = {};

    while (write(fd, buffer, sizeof(buffer)) > 0) {
    }
    while (write(fd, buffer, 1) > 0) {
    }
}

std::set<std::string> OpenDescriptors()
{
    std::set<std::string> open;
    DIR *dir = opendir("/proc/self/fd");

    while (dirent *entry = readdir(dir)) {
        char target[256] = {};
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir) &&
            readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0) {
            open.insert(std::string(entry->d_name) + " " + target);
        }
    }
    closedir(dir);
    return open;
}

int64_t NowNs()
{
    timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int InChild(const std::function<int()> &body)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        _exit(body());
    }
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

} // namespace contract
