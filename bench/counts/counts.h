/* SPDX-License-Identifier: MIT */
/* counts.h - what is counted: one operation of a hot path at a time. */
#ifndef AIOX_BENCH_COUNTS_COUNTS_H_
#define AIOX_BENCH_COUNTS_COUNTS_H_

struct scene {
    const char *name;
    void (*begin)(void);
    void (*operation)(void);
    void (*end)(void);
    void (*around)(void (*body)(void *opaque), void *opaque); /* the operations; NULL: nothing */
};

/* Ended by one without a name. */
extern const struct scene scenes[];

/* Counted since the program began; always 0 where the seam is not linked in. */
unsigned long seam_read_modify_writes(void);

#endif /* AIOX_BENCH_COUNTS_COUNTS_H_ */
