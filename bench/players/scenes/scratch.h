/* SPDX-License-Identifier: MIT */
/* scratch.h - a file that has no name, and numbers that are the same each time. */
#ifndef AIOX_BENCH_PLAYERS_SCENES_SCRATCH_H_
#define AIOX_BENCH_PLAYERS_SCENES_SCRATCH_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRATCH_SEED UINT64_C(88172645463325252)

/*
 * A file of so many bytes in $TMPDIR, or /var/tmp, that is gone when it is
 * closed: written, and with @is_direct on the disk and opened with O_DIRECT.
 * -1: there is no O_DIRECT.
 */
int scratch_file(size_t bytes, bool is_direct);

/* Marsaglia's xorshift. */
uint64_t scratch_number(uint64_t *seed);

#endif /* AIOX_BENCH_PLAYERS_SCENES_SCRATCH_H_ */
