/* SPDX-License-Identifier: MIT */
/* testing.h - channels and descriptors that close themselves, for tests. */
#ifndef AIOX_CHANNEL_TEST_TESTING_H_
#define AIOX_CHANNEL_TEST_TESTING_H_

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include "aiox/channel.h"
#include "aiox/channel_socket.h"
#include "lib/aio_co/test/loop.h"

namespace channel_testing
{
/* Holds one reference. */
class Channel
{
  public:
    Channel() = default;
    explicit Channel(aiox_channel *ch) : ch_(ch)
    {
    }
    ~Channel()
    {
        aiox_channel_unref(ch_);
    }
    Channel(Channel &&other) : ch_(std::exchange(other.ch_, nullptr))
    {
    }
    Channel &operator=(Channel &&other)
    {
        std::swap(ch_, other.ch_);
        return *this;
    }
    operator aiox_channel *() const
    {
        return ch_;
    }
    void Drop()
    {
        aiox_channel_unref(std::exchange(ch_, nullptr));
    }
    aiox_channel **Out()
    {
        Drop();
        return &ch_;
    }

  private:
    aiox_channel *ch_ = nullptr;
};

/* Two channels, each the peer of the other. */
struct Pair {
    Pair()
    {
        aiox_channel *ends[2];
        EXPECT_EQ(aiox_channel_socket_pair(ends), 0);
        a = Channel(ends[0]);
        b = Channel(ends[1]);
    }
    /* So little fits that each large write is cut. */
    void MakeNarrow()
    {
        int least = 1;
        for (aiox_channel *ch : {static_cast<aiox_channel *>(a), static_cast<aiox_channel *>(b)}) {
            int fd = aiox_channel_socket_fd(ch);
            EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
        }
    }
    Channel a, b;
};

/* One pipe or eventfd or socket of a test that is no channel. */
class Fd
{
  public:
    explicit Fd(int fd = -1) : fd_(fd)
    {
    }
    ~Fd()
    {
        Close();
    }
    Fd(const Fd &) = delete;
    Fd &operator=(const Fd &) = delete;
    operator int() const
    {
        return fd_;
    }
    void Close()
    {
        if (fd_ >= 0) {
            close(fd_);
            fd_ = -1;
        }
    }

  private:
    int fd_;
};

/* A folder that is removed with the files in it. */
class Folder
{
  public:
    Folder()
    {
        const char *tmp = std::getenv("TEST_TMPDIR");
        path_ = std::string(tmp && std::strlen(tmp) < 60 ? tmp : "/tmp") + "/aiox-channel-XXXXXX";
        EXPECT_NE(mkdtemp(path_.data()), nullptr);
    }
    ~Folder()
    {
        std::string command = "rm -rf '" + path_ + "'";
        EXPECT_EQ(std::system(command.c_str()), 0);
    }
    std::string operator/(const std::string &name) const
    {
        return path_ + "/" + name;
    }

  private:
    std::string path_;
};

inline bool Exists(const std::string &path)
{
    struct stat st;
    return lstat(path.c_str(), &st) == 0;
}

/* True if both are one open file. */
inline bool IsSameFile(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

inline std::string Noise(size_t bytes)
{
    std::string text(bytes, '\0');
    unsigned x = 1;
    for (char &c : text) {
        x = x * 1664525 + 1013904223;
        c = static_cast<char>(x >> 24);
    }
    return text;
}

inline aiox_socket_address Address(const std::string &text)
{
    aiox_socket_address address = {};
    aiox_error err = {};
    EXPECT_EQ(aiox_socket_address_parse(&address, text.c_str(), &err), 0) << err.message;
    return address;
}

inline std::string Text(const aiox_socket_address &address)
{
    char text[AIOX_SOCKET_TEXT_MAX_BYTES];
    return aiox_socket_address_print(&address, text, sizeof(text));
}
} // namespace channel_testing

#endif /* AIOX_CHANNEL_TEST_TESTING_H_ */
