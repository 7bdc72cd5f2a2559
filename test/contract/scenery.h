/* SPDX-License-Identifier: MIT */
/*
 * scenery.h - descriptors, children and clocks for the tests.
 */
#ifndef AIOX_TEST_CONTRACT_SCENERY_H_
#define AIOX_TEST_CONTRACT_SCENERY_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace contract
{

/* A descriptor with an owner. */
class Fd
{
  public:
    explicit Fd(int fd = -1) : fd_(fd)
    {
    }
    Fd(Fd &&other) noexcept : fd_(other.release())
    {
    }
    Fd &operator=(Fd &&other) noexcept;
    ~Fd();
    int get() const
    {
        return fd_;
    }
    int release();
    void reset(int fd = -1);

  private:
    int fd_;
};

struct Pair {
    Fd a; /* the reading end, the accepted connection */
    Fd b; /* the writing end, the connecting one */
};

Fd Event(uint64_t value = 0);  /* a non-blocking eventfd */
void Ring(int eventfd);        /* adds 1 */
uint64_t Silence(int eventfd); /* what was in it */
Pair Pipe();
Pair UnixPair();
Pair TcpPair();
void WriteByte(int fd);
void Drain(int fd);
void Fill(int fd); /* until it would block */

/* The numbers and targets of /proc/self/fd. */
std::set<std::string> OpenDescriptors();
int64_t NowNs();

/* Runs @body in a child; its value, 0 for success, or -signal. */
int InChild(const std::function<int()> &body);

} // namespace contract

#endif /* AIOX_TEST_CONTRACT_SCENERY_H_ */
