/* SPDX-License-Identifier: MIT */
/*
 * file_space.c - modes of fallocate(), whole blocks, and where data and holes are.
 *
 * Which way is quick: on a file both ways of fallocate() only change what the
 * file system keeps about the range. On a block device the kernel punches only
 * if the device can do it itself, but writes zeroes where it is asked to keep
 * the room; so that is no fast way.
 */
#define _GNU_SOURCE /* fallocate, SEEK_DATA */

#include "file_space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

enum {
    PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
    CACHE_MAX = 32 << 20, /* no more is read ahead for one request */
    ZERO_RANGE = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
};

int file_space_zero_mode(const struct export_io *io, bool is_device, unsigned attempt)
{
    int modes[2];
    unsigned count = 0;

    if (!io->keep) {
        modes[count++] = PUNCH;
    }
    if (!(io->fast && is_device)) {
        modes[count++] = ZERO_RANGE;
    }
    return attempt < count ? modes[attempt] : -1;
}

int file_space_trim_mode(unsigned attempt)
{
    return attempt == 0 ? PUNCH : -1;
}

int file_space_cache(int fd, const struct export_io *io)
{
    uint64_t bytes = io->bytes < CACHE_MAX ? io->bytes : CACHE_MAX;
    int error;

    do {
        error = -posix_fadvise(fd, (off_t)io->offset, (off_t)bytes, POSIX_FADV_WILLNEED);
    } while (error == -EINTR);
    return error;
}

/* EINVAL: a device whose blocks the range does not fit, or no such mode. */
bool file_space_is_no_way(int error)
{
    return error == -EOPNOTSUPP || error == -ENOSYS || error == -EINVAL || error == -ENODEV;
}

bool file_space_whole_blocks(const struct export_io *io, uint32_t block_bytes, uint64_t *from,
                             uint64_t *bytes)
{
    uint64_t first, end;

    if (block_bytes == 0) {
        return false;
    }
    first = (io->offset + block_bytes - 1) / block_bytes * block_bytes;
    end = (io->offset + io->bytes) / block_bytes * block_bytes;
    *from = first;
    *bytes = first < end ? end - first : 0;
    return first < end;
}

/* ---- data and holes ---- */

/* Where the file ends, or @end if it goes on there. */
static uint64_t end_of_file(int fd, uint64_t end)
{
    off_t size = lseek(fd, 0, SEEK_END);

    return size >= 0 && (uint64_t)size < end ? (uint64_t)size : end;
}

/* The end of what the file system says to be one stretch from @at on; if that is data, perhaps
 * behind @end. */
static uint64_t told_end(int fd, uint64_t at, uint64_t end, bool *is_hole)
{
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    off_t hole;

    *is_hole = false;
    if (data < 0 && errno == ENXIO) { /* no data up to the end of the file, or beyond it */
        uint64_t behind = end_of_file(fd, end);

        *is_hole = behind > at;
        return *is_hole ? behind : end;
    }
    if (data < 0) {
        return end;
    }
    if ((uint64_t)data > at) {
        *is_hole = true;
        return (uint64_t)data < end ? (uint64_t)data : end;
    }
    hole = lseek(fd, (off_t)at, SEEK_HOLE);
    return hole < 0 || (uint64_t)hole <= at ? end : (uint64_t)hole; /* changed meanwhile */
}

/* The end of the stretch of whole blocks of one kind that begins at @at, as above. */
static uint64_t stretch_end(int fd, uint64_t at, uint64_t end, uint64_t mask, bool *is_hole)
{
    uint64_t behind = told_end(fd, at, end, is_hole);

    if (*is_hole && (behind & ~mask) > at) {
        return behind & ~mask;
    }
    *is_hole = false;
    return (behind + mask) & ~mask;
}

void file_space_map(int fd, uint32_t min_mask, struct export_io *io)
{
    uint64_t at = io->offset, end = io->offset + io->bytes;

    io->extent_count = 0;
    io->moved = 0;
    while (at < end && io->extent_count < io->extent_max) {
        bool is_hole;
        uint64_t behind = stretch_end(fd, at, end, min_mask, &is_hole);

        if (behind > end) { /* data that goes on */
            io->moved = behind;
            behind = end;
        }
        io->extents[io->extent_count++] = (struct export_extent){
            .bytes = behind - at,
            .state = is_hole ? EXPORT_HOLE | EXPORT_ZERO : 0,
        };
        at = behind;
    }
}
