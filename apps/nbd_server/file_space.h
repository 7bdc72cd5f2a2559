/* SPDX-License-Identifier: MIT */
/*
 * file_space.h - what a file is told about its room, and tells of it: no bytes
 * are moved.
 */
#ifndef AIOX_NBD_FILE_SPACE_H_
#define AIOX_NBD_FILE_SPACE_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/thread_annotations.h"

#include "export.h"

AIOX_BEGIN_DECLS

/*
 * The mode of the @attempt-th fallocate() that zeroes as @io wants, from 0; -1: no
 * more ways, each of which leaves the range as it was if it cannot. [any]
 */
int file_space_zero_mode(const struct export_io *io, bool is_device, unsigned attempt);

/* The same for a trim. [any] */
int file_space_trim_mode(unsigned attempt);

/* Reads ahead, within reason. 0 or a negative errno. May block. [any] */
int file_space_cache(int fd, const struct export_io *io) blocking_fn;

/* True if @error of fallocate() means that it is no way here, but another may be. [any] */
bool file_space_is_no_way(int error);

/* The whole blocks in the range of @io. False: there are none, or @block_bytes is 0. [any] */
bool file_space_whole_blocks(const struct export_io *io, uint32_t block_bytes, uint64_t *from,
                             uint64_t *bytes);

/*
 * Finds data and holes in the range of @io and fills its extents: at least one.
 * Nothing is a hole that lies behind the end of the file, or that the file system
 * does not tell of. A block of @min_mask + 1 bytes that is data in part is data.
 * @io->moved is where the last stretch ends if it is data and goes on behind the
 * range; else 0. May block. [any]
 */
void file_space_map(int fd, uint32_t min_mask, struct export_io *io) blocking_fn;

AIOX_END_DECLS

#endif /* AIOX_NBD_FILE_SPACE_H_ */
