/* SPDX-License-Identifier: MIT */
/*
 * aiox/atomic.h - atomics whose order is in the name.
 *
 * A type is a struct of one field, so plain access does not compile. A
 * function is aiox_<type>_<what>_<order>:
 *
 *   type   u32  u64  ptr
 *   what   load    relaxed acquire seq_cst
 *          store   relaxed release seq_cst
 *          swap    relaxed acquire release acq_rel seq_cst    returns the old value
 *          cas     relaxed acquire release acq_rel seq_cst    true if *where was *expected,
 *                                                             else *expected is what it was
 *          or and add sub (not ptr)   the orders of swap      returns the old value
 *
 * A failed cas has the same order less its release half. There is no free
 * fence: ThreadSanitizer does not see one. An ordered access names its pair
 * in a comment, as in [BH-publish]; docs/memory-model.md lists the pairs.
 *
 * With AIOX_SCHEDULED=1 each access becomes a call, behind which a test
 * decides which thread goes next and which of the values that C11 allows a
 * load sees. The same source is then explored that is shipped.
 *
 * All functions: [any], signal-safe, never fail.
 */
#ifndef AIOX_ATOMIC_H_
#define AIOX_ATOMIC_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/* All zero is a valid start. */
typedef struct {
    uint32_t v_;
} aiox_atomic_u32;
typedef struct {
    uint64_t v_;
} aiox_atomic_u64;
typedef struct {
    void *v_;
} aiox_atomic_ptr;

#define AIOX_ATOMIC_INIT(value)                                                                    \
    {                                                                                              \
        value                                                                                      \
    }

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

/* The seam. Orders are the compiler's __ATOMIC_ numbers, sizes are 4 or 8 bytes. */
enum aiox_sched_op_ { AIOX_SCHED_SWAP_, AIOX_SCHED_OR_, AIOX_SCHED_AND_, AIOX_SCHED_ADD_ };

uint64_t aiox_sched_load_(const void *where, unsigned size, int order);
void aiox_sched_store_(void *where, unsigned size, uint64_t value, int order);
uint64_t aiox_sched_rmw_(void *where, unsigned size, enum aiox_sched_op_ op, uint64_t value,
                         int order);
bool aiox_sched_cas_(void *where, unsigned size, uint64_t *expected, uint64_t desired, int order);
void aiox_sched_plain_(const void *where, bool write, const char *what);
void aiox_sched_futex_wait_(aiox_atomic_u32 *where, uint32_t value);
void aiox_sched_futex_wake_(aiox_atomic_u32 *where, int how_many);
void aiox_sched_relax_(void);
void **aiox_sched_own_(void); /* a pointer of the calling thread's own; NULL at first */

#define AIOX_ATOMIC_LOAD_(p, type, mo) ((type)(uintptr_t)aiox_sched_load_(p, sizeof(*(p)), mo))
#define AIOX_ATOMIC_STORE_(p, value, mo)                                                           \
    aiox_sched_store_(p, sizeof(*(p)), (uint64_t)(uintptr_t)(value), mo)
#define AIOX_ATOMIC_SWAP_(p, type, value, mo)                                                      \
    ((type)(uintptr_t)aiox_sched_rmw_(p, sizeof(*(p)), AIOX_SCHED_SWAP_,                           \
                                      (uint64_t)(uintptr_t)(value), mo))
#define AIOX_ATOMIC_OR_(p, value, mo) aiox_sched_rmw_(p, sizeof(*(p)), AIOX_SCHED_OR_, value, mo)
#define AIOX_ATOMIC_AND_(p, value, mo) aiox_sched_rmw_(p, sizeof(*(p)), AIOX_SCHED_AND_, value, mo)
#define AIOX_ATOMIC_ADD_(p, value, mo) aiox_sched_rmw_(p, sizeof(*(p)), AIOX_SCHED_ADD_, value, mo)
#define AIOX_ATOMIC_CAS_(p, type, expected, desired, mo, mo_failed)                                \
    uint64_t want_ = (uint64_t)(uintptr_t) * (expected);                                           \
    bool done_ = aiox_sched_cas_(p, sizeof(*(p)), &want_, (uint64_t)(uintptr_t)(desired), mo);     \
    *(expected) = (type)(uintptr_t)want_;                                                          \
    return done_

/* Tells the explorer of an access to plain data, so that it can see a race on it. */
#define AIOX_PLAIN_READ(p) aiox_sched_plain_(p, false, "read of " #p)
#define AIOX_PLAIN_WRITE(p) aiox_sched_plain_(p, true, "write of " #p)

#else

#define AIOX_ATOMIC_LOAD_(p, type, mo) __atomic_load_n(p, mo)
#define AIOX_ATOMIC_STORE_(p, value, mo) __atomic_store_n(p, value, mo)
#define AIOX_ATOMIC_SWAP_(p, type, value, mo) __atomic_exchange_n(p, value, mo)
#define AIOX_ATOMIC_OR_(p, value, mo) __atomic_fetch_or(p, value, mo)
#define AIOX_ATOMIC_AND_(p, value, mo) __atomic_fetch_and(p, value, mo)
#define AIOX_ATOMIC_ADD_(p, value, mo) __atomic_fetch_add(p, value, mo)
#define AIOX_ATOMIC_CAS_(p, type, expected, desired, mo, mo_failed)                                \
    return __atomic_compare_exchange_n(p, expected, desired, false, mo, mo_failed)

#define AIOX_PLAIN_READ(p) ((void)0)
#define AIOX_PLAIN_WRITE(p) ((void)0)

#endif

#define AIOX_ATOMIC_DEFINE_LOAD_(name, type, order, mo)                                            \
    static AIOX_ALWAYS_INLINE type aiox_##name##_load_##order(const aiox_atomic_##name *where)     \
    {                                                                                              \
        return AIOX_ATOMIC_LOAD_(&where->v_, type, mo);                                            \
    }

#define AIOX_ATOMIC_DEFINE_STORE_(name, type, order, mo)                                           \
    static AIOX_ALWAYS_INLINE void aiox_##name##_store_##order(aiox_atomic_##name *where,          \
                                                               type value)                         \
    {                                                                                              \
        AIOX_ATOMIC_STORE_(&where->v_, value, mo);                                                 \
    }

#define AIOX_ATOMIC_DEFINE_SWAP_(name, type, order, mo, mo_failed)                                 \
    static AIOX_ALWAYS_INLINE type aiox_##name##_swap_##order(aiox_atomic_##name *where,           \
                                                              type value)                          \
    {                                                                                              \
        return AIOX_ATOMIC_SWAP_(&where->v_, type, value, mo);                                     \
    }                                                                                              \
    static AIOX_ALWAYS_INLINE bool aiox_##name##_cas_##order(aiox_atomic_##name *where,            \
                                                             type *expected, type desired)         \
    {                                                                                              \
        AIOX_ATOMIC_CAS_(&where->v_, type, expected, desired, mo, mo_failed);                      \
    }

#define AIOX_ATOMIC_DEFINE_MATH_(name, type, order, mo, mo_failed)                                 \
    static AIOX_ALWAYS_INLINE type aiox_##name##_or_##order(aiox_atomic_##name *where, type bits)  \
    {                                                                                              \
        return (type)AIOX_ATOMIC_OR_(&where->v_, bits, mo);                                        \
    }                                                                                              \
    static AIOX_ALWAYS_INLINE type aiox_##name##_and_##order(aiox_atomic_##name *where, type bits) \
    {                                                                                              \
        return (type)AIOX_ATOMIC_AND_(&where->v_, bits, mo);                                       \
    }                                                                                              \
    static AIOX_ALWAYS_INLINE type aiox_##name##_add_##order(aiox_atomic_##name *where, type n)    \
    {                                                                                              \
        return (type)AIOX_ATOMIC_ADD_(&where->v_, n, mo);                                          \
    }                                                                                              \
    static AIOX_ALWAYS_INLINE type aiox_##name##_sub_##order(aiox_atomic_##name *where, type n)    \
    {                                                                                              \
        return (type)AIOX_ATOMIC_ADD_(&where->v_, (type)(0 - n), mo);                              \
    }

#define AIOX_ATOMIC_EACH_RMW_ORDER_(define, name, type)                                            \
    define(name, type, relaxed, __ATOMIC_RELAXED, __ATOMIC_RELAXED)                                \
        define(name, type, acquire, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)                            \
            define(name, type, release, __ATOMIC_RELEASE, __ATOMIC_RELAXED)                        \
                define(name, type, acq_rel, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)                    \
                    define(name, type, seq_cst, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define AIOX_ATOMIC_DEFINE_(name, type)                                                            \
    AIOX_ATOMIC_DEFINE_LOAD_(name, type, relaxed, __ATOMIC_RELAXED)                                \
    AIOX_ATOMIC_DEFINE_LOAD_(name, type, acquire, __ATOMIC_ACQUIRE)                                \
    AIOX_ATOMIC_DEFINE_LOAD_(name, type, seq_cst, __ATOMIC_SEQ_CST)                                \
    AIOX_ATOMIC_DEFINE_STORE_(name, type, relaxed, __ATOMIC_RELAXED)                               \
    AIOX_ATOMIC_DEFINE_STORE_(name, type, release, __ATOMIC_RELEASE)                               \
    AIOX_ATOMIC_DEFINE_STORE_(name, type, seq_cst, __ATOMIC_SEQ_CST)                               \
    AIOX_ATOMIC_EACH_RMW_ORDER_(AIOX_ATOMIC_DEFINE_SWAP_, name, type)

AIOX_ATOMIC_DEFINE_(u32, uint32_t)
AIOX_ATOMIC_DEFINE_(u64, uint64_t)
AIOX_ATOMIC_DEFINE_(ptr, void *)
AIOX_ATOMIC_EACH_RMW_ORDER_(AIOX_ATOMIC_DEFINE_MATH_, u32, uint32_t)
AIOX_ATOMIC_EACH_RMW_ORDER_(AIOX_ATOMIC_DEFINE_MATH_, u64, uint64_t)

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED
#define AIOX_CPU_RELAX_() aiox_sched_relax_() /* others first */
#elif defined(__x86_64__) || defined(__i386__)
#define AIOX_CPU_RELAX_() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define AIOX_CPU_RELAX_() __asm__ volatile("yield" ::: "memory")
#else
#define AIOX_CPU_RELAX_() __asm__ volatile("" ::: "memory")
#endif

/* Tells the processor that this is a spin loop. */
static AIOX_ALWAYS_INLINE void aiox_cpu_relax(void)
{
    AIOX_CPU_RELAX_();
}

AIOX_END_DECLS

#endif /* AIOX_ATOMIC_H_ */
