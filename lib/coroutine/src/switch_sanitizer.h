/* SPDX-License-Identifier: MIT */
/*
 * switch_sanitizer.h - what ASan, TSan and valgrind must be told about stacks.
 *
 *   make, unmake   a stack became warm, becomes cold
 *   reuse          a new life begins on a warm stack
 *   enter, back    on the side of whoever enters: before and after the jump
 *   arrive, leave  on the side of the coroutine: after and before a jump
 *
 * AddressSanitizer keeps a second stack per coroutine, is told to drop it when
 * the coroutine ends, and finds heap pointers in suspended stacks when the
 * program exits. ThreadSanitizer has a "fiber" per coroutine; it stays with
 * the warm stack, because destroying one throws away the history in which a
 * race is seen. It can have about 8,100 of them, threads included.
 *
 * One of three sets of the same functions is compiled; the plain one is empty.
 */
#ifndef AIOX_COROUTINE_SRC_SWITCH_SANITIZER_H_
#define AIOX_COROUTINE_SRC_SWITCH_SANITIZER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "aiox/attributes.h"

#if AIOX_ASAN

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

#define FIBER_TOLD 1
#define FIBERS_MAX ((size_t)-1)

/* For functions whose frame outlives a life: their locals are not on the second stack. */
#define FIBER_NO_SECOND_STACK __attribute__((no_sanitize("address")))

struct fiber {
    void *second;
    const void *low;
    size_t bytes;
    const void *outer_low;
    size_t outer_bytes;
};

struct fiber_outer {
    void *second;
};

static inline bool fiber_make_(struct fiber *f, void *low, size_t bytes)
{
    __asan_unpoison_memory_region(low, bytes);
    *f = (struct fiber){.low = low, .bytes = bytes};
    return true;
}

static inline void fiber_unmake_(struct fiber *f)
{
    __asan_unpoison_memory_region((void *)(uintptr_t)f->low, f->bytes);
}

static inline void fiber_reuse_(struct fiber *f)
{
    __asan_unpoison_memory_region((void *)(uintptr_t)f->low, f->bytes);
}

static inline void fiber_enter_(struct fiber *f, struct fiber_outer *outer)
{
    __sanitizer_start_switch_fiber(&outer->second, f->low, f->bytes);
}

static inline void fiber_back_(struct fiber_outer *outer)
{
    __sanitizer_finish_switch_fiber(outer->second, NULL, NULL);
}

static inline void fiber_arrive_(struct fiber *f)
{
    __sanitizer_finish_switch_fiber(f->second, &f->outer_low, &f->outer_bytes);
}

static inline void fiber_leave_(struct fiber *f, struct fiber_outer *outer, bool for_good)
{
    __sanitizer_start_switch_fiber(for_good ? NULL : &f->second, f->outer_low, f->outer_bytes);
    if (for_good) {
        f->second = NULL;
    }
}

static inline void fiber_at_exit_(void (*tell_roots)(void))
{
    atexit(tell_roots);
}

/* Frames on the second stack are found by the words of the first that point there. */
__attribute__((no_sanitize("address"))) static inline void fiber_root_(struct fiber *f, void *low,
                                                                       void *high)
{
    __lsan_register_root_region(low, (size_t)((char *)high - (char *)low));
    for (void **word = (void **)low; f->second && word < (void **)high; word++) {
        void *begin, *end;

        if (__asan_addr_is_in_fake_stack(f->second, *word, &begin, &end)) {
            __lsan_register_root_region(begin, (size_t)((char *)end - (char *)begin));
        }
    }
}

#elif AIOX_TSAN

void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);

#define FIBER_TOLD 1
#define FIBERS_MAX ((size_t)8000)
#define FIBER_NO_SECOND_STACK

struct fiber {
    void *tsan;
};

struct fiber_outer {
    void *tsan;
};

static inline bool fiber_make_(struct fiber *f, void *low, size_t bytes)
{
    f->tsan = __tsan_create_fiber(0);
    return f->tsan != NULL;
}

static inline void fiber_unmake_(struct fiber *f)
{
    __tsan_destroy_fiber(f->tsan);
}

static inline void fiber_reuse_(struct fiber *f)
{
}

static inline void fiber_enter_(struct fiber *f, struct fiber_outer *outer)
{
    outer->tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(f->tsan, 0);
}

static inline void fiber_back_(struct fiber_outer *outer)
{
}

static inline void fiber_arrive_(struct fiber *f)
{
}

static inline void fiber_leave_(struct fiber *f, struct fiber_outer *outer, bool for_good)
{
    __tsan_switch_to_fiber(outer->tsan, 0);
}

static inline void fiber_at_exit_(void (*tell_roots)(void))
{
}

static inline void fiber_root_(struct fiber *f, void *low, void *high)
{
}

#else

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#define FIBER_TOLD 0
#define FIBERS_MAX ((size_t)-1)
#define FIBER_NO_SECOND_STACK

struct fiber {
    unsigned valgrind;
};

static inline bool fiber_make_(struct fiber *f, char *low, size_t bytes)
{
    f->valgrind = VALGRIND_STACK_REGISTER(low, low + bytes);
    return true;
}

static inline void fiber_unmake_(struct fiber *f)
{
    VALGRIND_STACK_DEREGISTER(f->valgrind);
}

static inline void fiber_reuse_(struct fiber *f)
{
}

static inline void fiber_arrive_(struct fiber *f)
{
}

static inline void fiber_at_exit_(void (*tell_roots)(void))
{
}

static inline void fiber_root_(struct fiber *f, void *low, void *high)
{
}

#endif

#endif /* AIOX_COROUTINE_SRC_SWITCH_SANITIZER_H_ */
