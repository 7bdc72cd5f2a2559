/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/bh.h - the original names of aiox/bh.h. aio_bh_new() and its kin
 * stand in aiox/qemu/aio.h.
 *
 * One difference is on purpose: the original runs what was scheduled last
 * first; here what was asked for first runs first.
 */
#ifndef AIOX_QEMU_BH_H_
#define AIOX_QEMU_BH_H_

#include "aiox/attributes.h"
#include "aiox/bh.h"

AIOX_BEGIN_DECLS

typedef struct aiox_bh QEMUBH;
typedef aiox_bh_fn QEMUBHFunc;

/* Shared by the bottom halves of one device that must not run inside one another. */
typedef struct aiox_bh_guard MemReentrancyGuard;

static inline void qemu_bh_schedule(QEMUBH *bh)
{
    aiox_bh_schedule(bh);
}

static inline void qemu_bh_schedule_idle(QEMUBH *bh)
{
    aiox_bh_schedule_idle(bh);
}

static inline void qemu_bh_cancel(QEMUBH *bh)
{
    aiox_bh_cancel(bh);
}

static inline void qemu_bh_delete(QEMUBH *bh)
{
    aiox_bh_free(bh);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_BH_H_ */
