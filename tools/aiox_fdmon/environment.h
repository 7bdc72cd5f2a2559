/* SPDX-License-Identifier: MIT */
/*
 * environment.h - what of this machine and process decides which backend works.
 */
#ifndef TOOLS_AIOX_FDMON_ENVIRONMENT_H_
#define TOOLS_AIOX_FDMON_ENVIRONMENT_H_

#include <stdbool.h>

/* Title and value, both for people. */
struct fact {
    const char *key; /* "seccomp" */
    char value[160];
};

#define FACTS_MAX 12

/* Returns how many facts there are. */
int environment_get(struct fact facts[FACTS_MAX]);

#endif /* TOOLS_AIOX_FDMON_ENVIRONMENT_H_ */
