/* SPDX-License-Identifier: MIT */
/*
 * guard.c - MADV_GUARD_INSTALL where it works, mprotect() where it does not.
 *
 * An emulator may answer 0 to advice that it does not know. So a guard is
 * tried once: asked to make the page present, the kernel must say EFAULT.
 * (That advice, MADV_POPULATE_READ, is older than guards.)
 */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aiox/atomic.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum { UNKNOWN, WORKS, FAILS };

static aiox_atomic_u32 advice;

static bool stands(void *guard, size_t bytes)
{
    return madvise(guard, bytes, MADV_POPULATE_READ) == -1 && errno == EFAULT;
}

static bool try_once(void)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool works;

    if (page == MAP_FAILED) {
        return false;
    }
    works = madvise(page, bytes, MADV_GUARD_INSTALL) == 0 && stands(page, bytes);
    munmap(page, bytes);
    aiox_u32_store_relaxed(&advice, works ? WORKS : FAILS);
    return works;
}

bool guard_install_(void *low, size_t bytes)
{
    uint32_t known = aiox_u32_load_relaxed(&advice);

    if (known == WORKS || (known == UNKNOWN && try_once())) {
        if (madvise(low, bytes, MADV_GUARD_INSTALL) == 0) {
            return true;
        }
    }
    return mprotect(low, bytes, PROT_NONE) == 0;
}
