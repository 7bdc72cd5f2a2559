/* SPDX-License-Identifier: MIT */
/*
 * export_mem.c - a range of memory, all zeroes at first, gone at the end.
 *
 * Pages come into being when they are written. Stable storage is what this is
 * not: a flush has nothing to do.
 */
#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct export_memory {
    struct nbd_export base;
    uint8_t *memory; /* NULL if there is nothing of it */
};

static uint8_t *at(struct nbd_export *e, uint64_t offset)
{
    return AIOX_CONTAINER_OF(e, struct export_memory, base)->memory + offset;
}

static void memory_read(struct nbd_export *e, struct export_io *io)
{
    if (io->bytes > 0) {
        memcpy(io->data, at(e, io->offset), io->bytes);
    }
    io->done(io, 0);
}

static void memory_write(struct nbd_export *e, struct export_io *io)
{
    if (io->bytes > 0) {
        memcpy(at(e, io->offset), io->data, io->bytes);
    }
    io->done(io, 0);
}

static void memory_flush(struct nbd_export *e, struct export_io *io)
{
    io->done(io, 0);
}

static void memory_close(struct nbd_export *e)
{
    struct export_memory *m = AIOX_CONTAINER_OF(e, struct export_memory, base);

    if (m->memory) {
        munmap(m->memory, e->size_bytes);
    }
    free(m);
}

static const struct export_ops memory_ops = {
    .read = memory_read,
    .write = memory_write,
    .flush = memory_flush,
    .close = memory_close,
};

int export_memory_open(struct nbd_export **out, uint64_t size_bytes, struct aiox_error *err)
{
    struct export_memory *m = calloc(1, sizeof(*m));
    void *memory = NULL;

    if (!m) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    if (size_bytes > 0) {
        memory = size_bytes <= SIZE_MAX ? mmap(NULL, (size_t)size_bytes, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                        : MAP_FAILED;
    }
    if (memory == MAP_FAILED) {
        free(m);
        return aiox_error_set(err, -ENOMEM, "no room for %" PRIu64 " bytes of memory", size_bytes);
    }
    m->base.ops = &memory_ops;
    m->base.size_bytes = size_bytes;
    m->memory = memory;
    *out = &m->base;
    return 0;
}
