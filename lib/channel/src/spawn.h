/* SPDX-License-Identifier: MIT */
/* spawn.h - how a child comes into the world. */
#ifndef AIOX_CHANNEL_SRC_SPAWN_H_
#define AIOX_CHANNEL_SRC_SPAWN_H_

#include "aiox/channel_command.h"

/*
 * Starts @command with the descriptors @input and @output, both above 2, as its
 * standard ones, no others, no signal blocked and none ignored. 0 or what the
 * system said.
 */
int spawn_(pid_t *pid, const struct aiox_command *command, int input, int output);

#endif /* AIOX_CHANNEL_SRC_SPAWN_H_ */
