/* SPDX-License-Identifier: MIT */
/*
 * aiox/thread_annotations.h - who may call, said to the compiler.
 *
 * The last line of each contract comment is a tag for people:
 *
 *   [any]         any thread, at any time
 *   [home]        the thread that polls the context
 *   [coroutine]   only inside a coroutine; may yield
 *   [init]        before a second thread knows the object
 *   [locked]      the caller of the plugin contract holds the handlers' lock
 *   signal-safe   may also be called from a signal handler
 *
 * The macros say the same to clang (-Wthread-safety); other compilers see
 * nothing. What clang cannot follow (function pointers, aliases) is asserted
 * at run time by the primitives themselves.
 */
#ifndef AIOX_THREAD_ANNOTATIONS_H_
#define AIOX_THREAD_ANNOTATIONS_H_

#if defined(__clang__)
#define AIOX_TSA_(x) __attribute__((x))
#else
#define AIOX_TSA_(x)
#endif

/* clang 14 cannot name a sibling field inside a C struct. */
#if defined(__clang__) && (__clang_major__ >= 22 || defined(__cplusplus))
#define AIOX_GUARDED_BY(m) AIOX_TSA_(guarded_by(m))
#else
#define AIOX_GUARDED_BY(m)
#endif

#define AIOX_CAPABILITY(name) AIOX_TSA_(capability(name))
#define AIOX_REQUIRES(...) AIOX_TSA_(requires_capability(__VA_ARGS__))
#define AIOX_EXCLUDES(...) AIOX_TSA_(locks_excluded(__VA_ARGS__))
#define AIOX_ACQUIRES(...) AIOX_TSA_(acquire_capability(__VA_ARGS__))
#define AIOX_RELEASES(...) AIOX_TSA_(release_capability(__VA_ARGS__))
#define AIOX_TRY_ACQUIRES(...) AIOX_TSA_(try_acquire_capability(__VA_ARGS__))
#define AIOX_ASSERTS(...) AIOX_TSA_(assert_capability(__VA_ARGS__))
#define AIOX_NO_THREAD_SAFETY_ANALYSIS AIOX_TSA_(no_thread_safety_analysis)

/* A role, not a lock: held by whatever runs on a coroutine's stack. */
struct AIOX_CAPABILITY("coroutine") aiox_co_role {
    char unused_;
};
extern struct aiox_co_role aiox_in_co_; /* never defined, never read: a name for clang */

/* The function may yield: it is called from coroutines only. */
#define coroutine_fn AIOX_REQUIRES(aiox_in_co_)

/* The function may block the thread: it is not called from a coroutine. */
#define blocking_fn AIOX_EXCLUDES(aiox_in_co_)

#endif /* AIOX_THREAD_ANNOTATIONS_H_ */
