/* SPDX-License-Identifier: MIT */
/* fiber.cc - saves what a call must keep, and changes the stack. */
#include "test/harness/fiber.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

namespace aiox_test
{
namespace
{
Fiber *beginning; /* the fiber that Begin() is entered on */
} // namespace

#if defined(__x86_64__)

/* void aiox_test_jump(void **save, void *load) */
extern "C" void aiox_test_jump(void **save, void *load);
asm(".text\n"
    ".globl aiox_test_jump\n"
    ".type aiox_test_jump,@function\n"
    "aiox_test_jump:\n"
    "    endbr64\n"
    "    push %rbp\n"
    "    push %rbx\n"
    "    push %r12\n"
    "    push %r13\n"
    "    push %r14\n"
    "    push %r15\n"
    "    mov %rsp, (%rdi)\n"
    "    mov %rsi, %rsp\n"
    "    pop %r15\n"
    "    pop %r14\n"
    "    pop %r13\n"
    "    pop %r12\n"
    "    pop %rbx\n"
    "    pop %rbp\n"
    "    ret\n"
    ".size aiox_test_jump,.-aiox_test_jump\n");

/* Six registers, the address to return to, and one that ends the backtrace. */
static void *FirstFrame(char *top, void (*begin)())
{
    auto **frame = reinterpret_cast<void **>(top) - 8;

    std::memset(frame, 0, 8 * sizeof(*frame));
    frame[6] = reinterpret_cast<void *>(begin);
    return frame;
}

#elif defined(__aarch64__)

extern "C" void aiox_test_jump(void **save, void *load);
asm(".text\n"
    ".globl aiox_test_jump\n"
    ".type aiox_test_jump,%function\n"
    "aiox_test_jump:\n"
    "    hint #34\n" /* bti c */
    "    sub sp, sp, #160\n"
    "    stp x19, x20, [sp, #0]\n"
    "    stp x21, x22, [sp, #16]\n"
    "    stp x23, x24, [sp, #32]\n"
    "    stp x25, x26, [sp, #48]\n"
    "    stp x27, x28, [sp, #64]\n"
    "    stp x29, x30, [sp, #80]\n"
    "    stp d8, d9, [sp, #96]\n"
    "    stp d10, d11, [sp, #112]\n"
    "    stp d12, d13, [sp, #128]\n"
    "    stp d14, d15, [sp, #144]\n"
    "    mov x9, sp\n"
    "    str x9, [x0]\n"
    "    mov sp, x1\n"
    "    ldp x19, x20, [sp, #0]\n"
    "    ldp x21, x22, [sp, #16]\n"
    "    ldp x23, x24, [sp, #32]\n"
    "    ldp x25, x26, [sp, #48]\n"
    "    ldp x27, x28, [sp, #64]\n"
    "    ldp x29, x30, [sp, #80]\n"
    "    ldp d8, d9, [sp, #96]\n"
    "    ldp d10, d11, [sp, #112]\n"
    "    ldp d12, d13, [sp, #128]\n"
    "    ldp d14, d15, [sp, #144]\n"
    "    add sp, sp, #160\n"
    "    ret\n"
    ".size aiox_test_jump,.-aiox_test_jump\n");

static void *FirstFrame(char *top, void (*begin)())
{
    auto **frame = reinterpret_cast<void **>(top) - 20;

    std::memset(frame, 0, 20 * sizeof(*frame));
    frame[11] = reinterpret_cast<void *>(begin); /* x30 */
    return frame;
}

#endif

Fiber::Fiber(size_t bytes) : bytes_(bytes)
{
    auto guard = static_cast<size_t>(sysconf(_SC_PAGESIZE));

    stack_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack_ == MAP_FAILED || mprotect(stack_, guard, PROT_NONE) != 0) {
        std::perror("a stack for the explorer");
        std::abort();
    }
}

Fiber::~Fiber()
{
    if (stack_) {
        munmap(stack_, bytes_);
    }
}

void Fiber::Begin()
{
    beginning->fn_(beginning->arg_);
    std::abort(); /* fn returned */
}

#if defined(__x86_64__) || defined(__aarch64__)

void Fiber::Prepare(void (*fn)(void *arg), void *arg)
{
    fn_ = fn;
    arg_ = arg;
    sp_ = FirstFrame(static_cast<char *>(stack_) + bytes_, &Fiber::Begin);
}

void Fiber::Jump(Fiber &from, Fiber &to)
{
    beginning = &to;
    aiox_test_jump(&from.sp_, to.sp_);
}

#else

void Fiber::Prepare(void (*fn)(void *arg), void *arg)
{
    fn_ = fn;
    arg_ = arg;
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_;
    context_.uc_stack.ss_size = bytes_;
    makecontext(&context_, &Fiber::Begin, 0);
}

void Fiber::Jump(Fiber &from, Fiber &to)
{
    beginning = &to;
    swapcontext(&from.context_, &to.context_);
}

#endif
} // namespace aiox_test
