/* SPDX-License-Identifier: MIT */
/*
 * aiox/attributes.h - what a declaration can tell the compiler.
 *
 * Every public function is AIOX_API; one whose result is an error code is
 * AIOX_NODISCARD as well. Everything here works in C11 and in C++17.
 */
#ifndef AIOX_ATTRIBUTES_H_
#define AIOX_ATTRIBUTES_H_

#include <stddef.h>

#ifdef __cplusplus
#define AIOX_BEGIN_DECLS extern "C" {
#define AIOX_END_DECLS }
#else
#define AIOX_BEGIN_DECLS
#define AIOX_END_DECLS
#endif

/* Leaves the shared library; everything without it is hidden. */
#define AIOX_API __attribute__((visibility("default")))

/* The caller must look at the result. */
#define AIOX_NODISCARD __attribute__((warn_unused_result))

/* Argument @fmt is a printf format, its values begin at argument @first (0: a va_list). */
#define AIOX_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#define AIOX_NORETURN __attribute__((noreturn))
#define AIOX_NOINLINE __attribute__((noinline))
#define AIOX_ALWAYS_INLINE inline __attribute__((always_inline))
#define AIOX_COLD __attribute__((cold))
#define AIOX_UNUSED __attribute__((unused))

/* 1 where AddressSanitizer, ThreadSanitizer watch the code that is compiled here, else 0. */
#if defined(__SANITIZE_ADDRESS__)
#define AIOX_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define AIOX_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AIOX_ASAN 1
#elif __has_feature(thread_sanitizer)
#define AIOX_TSAN 1
#endif
#endif
#ifndef AIOX_ASAN
#define AIOX_ASAN 0
#endif
#ifndef AIOX_TSAN
#define AIOX_TSAN 0
#endif

#define AIOX_LIKELY(x) __builtin_expect(!!(x), 1)
#define AIOX_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Data that two threads write stand at least so far apart (two 64-byte lines: prefetched in pairs).
 */
#define AIOX_CACHE_LINE 128
#define AIOX_CACHE_ALIGNED __attribute__((aligned(AIOX_CACHE_LINE)))

/* The structure of type @type that holds *@ptr as its field @member. */
#define AIOX_CONTAINER_OF(ptr, type, member)                                                       \
    ((type *)(void *)((char *)(void *)(ptr)-offsetof(type, member)))

#endif /* AIOX_ATTRIBUTES_H_ */
