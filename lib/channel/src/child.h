/* SPDX-License-Identifier: MIT */
/* child.h - how a child comes into the world. */
#ifndef AIOX_CHANNEL_SRC_CHILD_H_
#define AIOX_CHANNEL_SRC_CHILD_H_

#include "aiox/channel_command.h"

/*
 * Starts @command with the descriptors @input and @output, both above 2, as its
 * standard ones, no others, no signal blocked and none ignored. 0 or what the
 * system said.
 */
int child_start_(pid_t *pid, const struct aiox_command *command, int input, int output);

#endif /* AIOX_CHANNEL_SRC_CHILD_H_ */
