/* SPDX-License-Identifier: MIT */
/*
 * fiber.h - a stack to jump to and from, for the explorer alone.
 *
 * Knows nothing of sanitizers, signals or threads: all fibers of a program
 * live in one thread. Programs want aiox/coroutine.h.
 */
#ifndef AIOX_TEST_HARNESS_FIBER_H_
#define AIOX_TEST_HARNESS_FIBER_H_

#include <cstddef>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

namespace aiox_test
{
class Fiber
{
  public:
    /* Where this program already is. */
    Fiber() = default;
    /* A stack of @bytes that runs nothing yet. */
    explicit Fiber(size_t bytes);
    ~Fiber();
    Fiber(const Fiber &) = delete;
    Fiber &operator=(const Fiber &) = delete;

    /* The next jump to it calls @fn(@arg), which never returns. What ran there is forgotten. */
    void Prepare(void (*fn)(void *arg), void *arg);

    /* Leaves off in @from and goes on in @to. */
    static void Jump(Fiber &from, Fiber &to);

  private:
    static void Begin();

    void *stack_ = nullptr;
    size_t bytes_ = 0;
    void (*fn_)(void *arg) = nullptr;
    void *arg_ = nullptr;
#if defined(__x86_64__) || defined(__aarch64__)
    void *sp_ = nullptr;
#else
    ucontext_t context_;
#endif
};
} // namespace aiox_test

#endif // AIOX_TEST_HARNESS_FIBER_H_
