/* SPDX-License-Identifier: MIT */
/*
 * aiox/channel_memory.h - channels without a system behind: a buffer, and nothing.
 *
 * They never wait. Their users take turns: no two threads at once.
 */
#ifndef AIOX_CHANNEL_MEMORY_H_
#define AIOX_CHANNEL_MEMORY_H_

#include "aiox/attributes.h"
#include "aiox/channel.h"

AIOX_BEGIN_DECLS

/*
 * Makes a channel that keeps what is written, and grows as it must. It has one
 * position, at first 0: a write puts bytes there, over what is there already, a
 * read takes from there; both move it, and so does aiox_channel_seek(). At the end
 * a read returns 0. What lies between the end and a later position reads as 0 once
 * something is written there.
 *
 * @capacity_bytes: what it has room for at first. -ENOMEM, also of a write. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_buffer_new(struct aiox_channel **out,
                                                    size_t capacity_bytes);

/* What is in it; until the next write or the end of the channel. For others the program ends. [any]
 */
AIOX_API const void *aiox_channel_buffer_data(const struct aiox_channel *ch);

/* How much is in it. [any] */
AIOX_API size_t aiox_channel_buffer_bytes(const struct aiox_channel *ch);

/*
 * Makes a channel that is always at the end of the file and takes all that is
 * written. -ENOMEM. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_null_new(struct aiox_channel **out);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_MEMORY_H_ */
