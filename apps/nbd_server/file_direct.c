/* SPDX-License-Identifier: MIT */
/* file_direct.c - asks the kernel, and then tries whether it is so. */
#include "file_direct.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool.h"

enum { MIN_BYTES_MAX = 64 << 10 }; /* "Block size constraints": no larger minimum may be told */

static int read_some(int fd, void *memory, uint32_t bytes)
{
    ssize_t n;

    do {
        n = pread(fd, memory, bytes, 0);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* The first length from @bytes on that @fd reads, into memory like that of requests. */
static int try_lengths(int fd, uint32_t *bytes)
{
    void *memory;
    int error = -EINVAL;

    if (posix_memalign(&memory, MIN_BYTES_MAX, POOL_PAYLOAD_ALIGNMENT + MIN_BYTES_MAX) != 0) {
        return -ENOMEM;
    }
    for (uint32_t n = *bytes; error == -EINVAL && n <= MIN_BYTES_MAX; n *= 2) {
        *bytes = n;
        error = read_some(fd, (char *)memory + POOL_PAYLOAD_ALIGNMENT, n);
    }
    free(memory);
    return error;
}

int file_direct_settle(const struct aiox_file *file, int fd, uint64_t size_bytes,
                       uint32_t *min_bytes, struct aiox_error *err)
{
    uint32_t memory_bytes, bytes;
    int error;

    aiox_file_alignment(file, &memory_bytes, &bytes);
    if (memory_bytes > POOL_PAYLOAD_ALIGNMENT) {
        return aiox_error_set(err, -EINVAL, "O_DIRECT wants memory at multiples of %" PRIu32,
                              memory_bytes);
    }
    error = try_lengths(fd, &bytes);
    if (error < 0) {
        return aiox_error_set(err, error, "it was opened with O_DIRECT, but not read: %s",
                              aiox_error_text(error));
    }
    if (size_bytes % bytes != 0) {
        return aiox_error_set(err, -EINVAL,
                              "its size, %" PRIu64 ", is no multiple of the %" PRIu32
                              " bytes that O_DIRECT wants",
                              size_bytes, bytes);
    }
    *min_bytes = bytes;
    return 0;
}
