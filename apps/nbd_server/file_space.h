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

#include "export.h"

AIOX_BEGIN_DECLS

/*
 * The mode of the @attempt-th fallocate() that zeroes as @io wants, from 0; -1: no
 * more ways, each of which leaves the range as it was if it cannot. [any]
 */
int file_space_zero_mode(const struct export_io *io, bool is_device, unsigned attempt);

/* The same for a trim. [any] */
int file_space_trim_mode(unsigned attempt);

/* fallocate() for the range of @io. 0 or a negative errno. [any] */
int file_space_allocate(int fd, const struct export_io *io, int mode);

/* So much of the range of @io is read ahead. [any] */
uint64_t file_space_cached(const struct export_io *io);

/* Reads ahead. 0 or a negative errno. [any] */
int file_space_cache(int fd, const struct export_io *io);

/* True if @error of fallocate() means that it is no way here, but another may be. [any] */
bool file_space_is_no_way(int error);

/* Discards what lies within the range of a block device. A hint: no is no error. [any] */
void file_space_discard(int fd, uint64_t offset, uint64_t bytes);

/*
 * Finds data and holes in the range of @io and fills its extents: at least one.
 * Nothing is a hole that lies behind the end of the file, or that the file system
 * does not tell of. [any]
 */
void file_space_map(int fd, struct export_io *io);

AIOX_END_DECLS

#endif /* AIOX_NBD_FILE_SPACE_H_ */
