/* SPDX-License-Identifier: MIT */
/*
 * lockcnt_mutex.c - a futex made of mutexes, for systems that have none.
 *
 * Words share a few beds by their address. A sleeper looks at the word with
 * the bed's mutex held; the waker, who has changed the word before, takes the
 * mutex too. So the sleeper either sees the change or is in bed when the waker
 * comes. A wake wakes everybody in the bed: each looks at its own word again.
 */
#include "lockcnt_wait.h"

#include <pthread.h>

struct bed {
    pthread_mutex_t mutex;
    pthread_cond_t woken;
};

#define BED                                                                                        \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER                                        \
    }

static struct bed beds[] = {BED, BED, BED, BED, BED, BED, BED, BED};

static struct bed *bed_of(const aiox_atomic_u32 *word)
{
    return &beds[((uintptr_t)word >> 6) % (sizeof(beds) / sizeof(beds[0]))];
}

void lockcnt_wait_(aiox_atomic_u32 *word, uint32_t value)
{
    struct bed *bed = bed_of(word);

    pthread_mutex_lock(&bed->mutex);
    if (aiox_u32_load_relaxed(word) == value) {
        pthread_cond_wait(&bed->woken, &bed->mutex);
    }
    pthread_mutex_unlock(&bed->mutex);
}

void lockcnt_wake_(aiox_atomic_u32 *word)
{
    struct bed *bed = bed_of(word);

    pthread_mutex_lock(&bed->mutex);
    pthread_cond_broadcast(&bed->woken);
    pthread_mutex_unlock(&bed->mutex);
}
