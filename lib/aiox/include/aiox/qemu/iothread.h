/* SPDX-License-Identifier: MIT */
/* aiox/qemu/iothread.h - the original names of aiox/thread.h. */
#ifndef AIOX_QEMU_IOTHREAD_H_
#define AIOX_QEMU_IOTHREAD_H_

#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/qemu/aio.h"
#include "aiox/qemu/error.h"
#include "aiox/thread.h"

AIOX_BEGIN_DECLS

enum { IOTHREAD_POLL_MAX_NS_DEFAULT = 32768 };

typedef struct IOThread {
    struct aiox_thread *thread_;
    char *id_;
} IOThread;

/* Not an original name. */
static inline char *aiox_qemu_copy_(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = (char *)malloc(bytes);

    aiox_assert(copy);
    memcpy(copy, text, bytes);
    return copy;
}

static inline void iothread_destroy(IOThread *iothread) blocking_fn
{
    aiox_thread_free(iothread->thread_);
    free(iothread->id_);
    free(iothread);
}

/* A thread that turns a context of its own; NULL and an Error if that cannot be. */
static inline IOThread *iothread_create(const char *id, Error **errp) blocking_fn
{
    struct aiox_thread_options options;
    struct aiox_error said;
    IOThread *iothread = (IOThread *)calloc(1, sizeof(*iothread));

    aiox_assert(iothread);
    iothread->id_ = aiox_qemu_copy_(id);
    memset(&options, 0, sizeof(options));
    options.name = id;
    options.busy_max_ns = IOTHREAD_POLL_MAX_NS_DEFAULT;
    if (aiox_thread_new(&iothread->thread_, &options, &said) < 0) {
        error_set_from_aiox(errp, &said);
        free(iothread->id_);
        free(iothread);
        return NULL;
    }
    return iothread;
}

static inline AioContext *iothread_get_aio_context(IOThread *iothread)
{
    return aiox_thread_context(iothread->thread_);
}

/* A copy, for free(3). */
static inline char *iothread_get_id(IOThread *iothread)
{
    return aiox_qemu_copy_(iothread->id_);
}

/* Waits until the thread has ended. Its context stays. */
static inline void iothread_stop(IOThread *iothread) blocking_fn
{
    aiox_thread_join(iothread->thread_);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_IOTHREAD_H_ */
