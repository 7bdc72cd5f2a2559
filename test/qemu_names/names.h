/* SPDX-License-Identifier: MIT */
/* names.h - parts of a program in the original names: each returns NULL, or what went wrong. */
#ifndef AIOX_TEST_QEMU_NAMES_NAMES_H_
#define AIOX_TEST_QEMU_NAMES_NAMES_H_

#ifdef __cplusplus
extern "C" {
#endif

/* As written for release 10.2. */
const char *bottom_halves_2025(void);
const char *descriptors_2025(void);
const char *notifiers_2025(void);
const char *timers_2025(void);
const char *coroutines_2025(void);
const char *two_contexts_2025(void);
const char *lockcnt_2025(void);
const char *requests_2025(void);
const char *errors_2025(void);
const char *main_loop_2025(void);
const char *borrowing_2025(void);
const char *thread_pool_2025(void);
const char *iothread_2025(void);
const char *channels_2025(void);
const char *locks_2025(void);
const char *graph_lock_2025(void);
const char *g_source_2025(void);
const char *socket_addresses_2025(void);
const char *sockets_2025(void);
const char *net_listener_2025(void);
const char *channel_kinds_2025(void);
const char *rest_of_contexts_2025(void);
const char *rest_of_timers_2025(void);
const char *rest_of_the_main_loop_2025(void);
const char *rest_of_coroutines_2025(void);
const char *rest_of_the_thread_pool_2025(void);
const char *rest_of_channels_2025(void);

/* As written in the years between. */
const char *between_2015(void);
const char *between_2016(void);
const char *between_2018(void);
const char *between_2021(void);
const char *between_2022(void);
const char *between_2024(void);

/* As written for release 2.2, and for release 1.5. */
const char *descriptors_2014(void);
const char *coroutines_2014(void);
const char *queue_2014(void);
const char *thread_pool_2014(void);
const char *descriptors_2013(void);
const char *coroutines_2013(void);
const char *queue_2013(void);
const char *thread_pool_2013(void);

#ifdef __cplusplus
}
#endif

/* Ends a part that finds something wrong. */
#define WANT_TEXT_(x) #x
#define WANT_LINE_(x) WANT_TEXT_(x)
#define WANT(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            return "line " WANT_LINE_(__LINE__) ": " #cond;                                        \
        }                                                                                          \
    } while (0)

#endif /* AIOX_TEST_QEMU_NAMES_NAMES_H_ */
