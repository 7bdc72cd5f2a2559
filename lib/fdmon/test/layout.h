/* SPDX-License-Identifier: MIT */
/*
 * layout.h - what both sides of the contract must agree on, as numbers.
 *
 * layout.c is compiled twice, once against the frozen header of major 1 and
 * once against today's; abi_test.cc compares the two.
 */
#ifndef AIOX_FDMON_TEST_LAYOUT_H_
#define AIOX_FDMON_TEST_LAYOUT_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct layout_fact {
    const char *name;
    uint64_t value;
};

/* Each ends with a NULL name. Sizes may grow; the others may not change. */
struct layout {
    const struct layout_fact *sizes;
    const struct layout_fact *offsets;
    const struct layout_fact *numbers;
    const char *const *strings;
};

extern const struct layout layout_v1;
extern const struct layout layout_now;

#ifdef __cplusplus
}
#endif

#endif /* AIOX_FDMON_TEST_LAYOUT_H_ */
