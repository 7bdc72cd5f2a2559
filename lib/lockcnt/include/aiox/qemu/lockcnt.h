/* SPDX-License-Identifier: MIT */
/* aiox/qemu/lockcnt.h - the original names of aiox/lockcnt.h, which tells what they do. */
#ifndef AIOX_QEMU_LOCKCNT_H_
#define AIOX_QEMU_LOCKCNT_H_

#include "aiox/attributes.h"
#include "aiox/lockcnt.h"

AIOX_BEGIN_DECLS

typedef struct aiox_lockcnt QemuLockCnt;

static inline void qemu_lockcnt_init(QemuLockCnt *lockcnt)
{
    aiox_lockcnt_init(lockcnt);
}

static inline void qemu_lockcnt_destroy(QemuLockCnt *lockcnt)
{
    aiox_lockcnt_fini(lockcnt);
}

static inline void qemu_lockcnt_inc(QemuLockCnt *lockcnt)
{
    aiox_lockcnt_inc(lockcnt);
}

static inline void qemu_lockcnt_dec(QemuLockCnt *lockcnt)
{
    aiox_lockcnt_dec(lockcnt);
}

static inline bool qemu_lockcnt_dec_and_lock(QemuLockCnt *lockcnt) AIOX_TRY_ACQUIRES(true, lockcnt)
{
    return aiox_lockcnt_dec_and_lock(lockcnt);
}

static inline bool qemu_lockcnt_dec_if_lock(QemuLockCnt *lockcnt) AIOX_TRY_ACQUIRES(true, lockcnt)
{
    return aiox_lockcnt_dec_if_lock(lockcnt);
}

static inline void qemu_lockcnt_lock(QemuLockCnt *lockcnt) AIOX_ACQUIRES(lockcnt)
{
    aiox_lockcnt_lock(lockcnt);
}

static inline void qemu_lockcnt_unlock(QemuLockCnt *lockcnt) AIOX_RELEASES(lockcnt)
{
    aiox_lockcnt_unlock(lockcnt);
}

static inline void qemu_lockcnt_inc_and_unlock(QemuLockCnt *lockcnt) AIOX_RELEASES(lockcnt)
{
    aiox_lockcnt_inc_and_unlock(lockcnt);
}

static inline unsigned qemu_lockcnt_count(QemuLockCnt *lockcnt)
{
    return aiox_lockcnt_count(lockcnt);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_LOCKCNT_H_ */
