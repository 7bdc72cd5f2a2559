/* SPDX-License-Identifier: MIT */
/* testing.h - a loop on the backend under test, coroutines in it, and files of a test. */
#ifndef AIOX_AIO_FILE_TEST_TESTING_H_
#define AIOX_AIO_FILE_TEST_TESTING_H_

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "aiox/aio_co.h"
#include "aiox/aiox.h"
#include "aiox/file.h"
#include "lib/coroutine/test/testing.h"

namespace file_testing
{
/* On the backend that AIOX_FDMON names. This thread is its home. */
class Loop
{
  public:
    Loop()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
        aiox_context_set_current(ctx_);
    }
    ~Loop()
    {
        aiox_context_set_current(nullptr);
        aiox_context_unref(ctx_);
    }
    Loop(const Loop &) = delete;
    Loop &operator=(const Loop &) = delete;

    operator aiox_context *() const
    {
        return ctx_;
    }
    void RunUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            aiox_poll(ctx_, true);
        }
    }
    /* Runs @body as a coroutine until it ends. */
    void Run(std::function<void()> body)
    {
        bool done = false;
        aiox_co_enter_in(ctx_, co_testing::Spawn([&] {
                             body();
                             done = true;
                         }));
        RunUntil([&] { return done; });
    }

  private:
    aiox_context *ctx_ = nullptr;
};

/* A file without a name in the test's directory, and its aiox_file. */
class File
{
  public:
    explicit File(aiox_context *ctx, int flags = O_RDWR, const aiox_file_options &options = {})
    {
        std::string dir = ::testing::TempDir();
        fd_ = open(dir.c_str(), O_TMPFILE | O_CLOEXEC | flags, 0600);
        error_ = fd_ < 0 ? -errno : aiox_file_init(&file_, ctx, fd_, &options);
    }
    ~File()
    {
        aiox_file_fini(&file_);
        if (fd_ >= 0) {
            close(fd_);
        }
    }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    aiox_file *operator&()
    {
        return &file_;
    }
    int fd() const
    {
        return fd_;
    }
    int error() const
    {
        return error_;
    }
    void Fill(const std::string &text)
    {
        ASSERT_EQ(pwrite(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }
    std::string Text() const
    {
        std::string text(static_cast<size_t>(lseek(fd_, 0, SEEK_END)), '?');
        EXPECT_EQ(pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        return text;
    }

  private:
    aiox_file file_ = {};
    int fd_;
    int error_;
};

/* A request and what became of it. */
struct Request {
    aiox_file_request request = {};
    std::vector<char> buffer;
    iovec iov = {};
    int told = 0;
    int64_t result = 12345;
    std::function<void()> when_told;

    Request(aiox_file_op op, int64_t offset, size_t bytes, char fill = 0) : buffer(bytes, fill)
    {
        iov = {buffer.data(), bytes};
        request.op = op;
        request.iov = &iov;
        request.iov_count = 1;
        request.offset = offset;
        request.done = &Request::Done;
        request.opaque = this;
    }
    static void Done(void *self, int64_t result)
    {
        auto *r = static_cast<Request *>(self);
        r->told++;
        r->result = result;
        if (r->when_told) {
            r->when_told();
        }
    }
};

/* Text that shows where it is from. */
inline std::string Pattern(size_t bytes)
{
    std::string text(bytes, 0);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = static_cast<char>('a' + (i * 31 + i / 256) % 26);
    }
    return text;
}

/* The functions of aiox/file.h for lambdas, which have no place for coroutine_fn. */
inline ssize_t Preadv(aiox_file *f, const iovec *iov, int count, int64_t offset, int flags = 0,
                      aiox_file_engine *engine = nullptr) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_preadv(f, iov, count, offset, flags, engine);
}
inline ssize_t Pwritev(aiox_file *f, const iovec *iov, int count, int64_t offset, int flags = 0,
                       aiox_file_engine *engine = nullptr) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_pwritev(f, iov, count, offset, flags, engine);
}
inline ssize_t Pread(aiox_file *f, void *buf, size_t bytes,
                     int64_t offset) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_pread(f, buf, bytes, offset);
}
inline ssize_t Pwrite(aiox_file *f, const void *buf, size_t bytes,
                      int64_t offset) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_pwrite(f, buf, bytes, offset);
}
} // namespace file_testing

#endif /* AIOX_AIO_FILE_TEST_TESTING_H_ */
