/* SPDX-License-Identifier: MIT */
/* channel.h - what stream.c needs of the common half. */
#ifndef AIOX_CHANNEL_SRC_CHANNEL_H_
#define AIOX_CHANNEL_SRC_CHANNEL_H_

#include "aiox/channel_ops.h"

/* Tries to read (@event is AIOX_FD_READ) or to write until something is done. */
ssize_t channel_move_(struct aiox_channel *ch, struct aiox_channel_io *io, uint32_t event,
                      int64_t deadline_ns);

#endif /* AIOX_CHANNEL_SRC_CHANNEL_H_ */
