/* SPDX-License-Identifier: MIT */
/*
 * export_mem.c - a range of memory, all zeroes at first, gone at the end.
 *
 * Pages come into being when they are written, and go when they are trimmed or
 * zeroed. Which those are is noted per block; the rest is a hole. Stable storage
 * is what this is not: a flush has nothing to do. Siblings share all of it; the
 * last one gives it back.
 */
#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "aiox/atomic.h"

#include "blocks.h"

struct shared {
    uint8_t *memory; /* NULL if there is nothing of it */
    uint64_t size_bytes;
    struct blocks written;
    aiox_atomic_u32 users;
};

struct export_memory {
    struct nbd_export base;
    struct shared *shared;
};

static struct shared *memory_of(const struct nbd_export *e)
{
    return AIOX_CONTAINER_OF(e, struct export_memory, base)->shared;
}

static uint8_t *at(struct nbd_export *e, uint64_t offset)
{
    return memory_of(e)->memory + offset;
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
        blocks_set(&memory_of(e)->written, blocks_at(io->offset),
                   blocks_behind(io->offset + io->bytes));
    }
    io->done(io, 0);
}

static void memory_flush(struct nbd_export *e, struct export_io *io)
{
    io->done(io, 0);
}

/* Gives pages back, if the range is a number of them. */
static void empty(struct nbd_export *e, uint64_t offset, uint64_t bytes)
{
    if (bytes > 0 && madvise(at(e, offset), (size_t)bytes, MADV_DONTNEED) < 0) {
        memset(at(e, offset), 0, (size_t)bytes);
    }
}

/* Empties the whole blocks of the range; what is left before and behind them is cleared. */
static void memory_zero(struct nbd_export *e, struct export_io *io)
{
    struct blocks *written = &memory_of(e)->written;
    uint64_t end = io->offset + io->bytes;
    uint64_t from = blocks_behind(io->offset) * BLOCKS_BYTES, to = blocks_at(end) * BLOCKS_BYTES;

    if (from >= to) {
        if (io->bytes > 0) {
            memset(at(e, io->offset), 0, (size_t)io->bytes);
        }
    } else {
        memset(at(e, io->offset), 0, (size_t)(from - io->offset));
        empty(e, from, to - from);
        memset(at(e, to), 0, (size_t)(end - to));
        blocks_clear(written, blocks_at(from), blocks_at(to));
    }
    if (io->keep && io->bytes > 0) { /* a page that is not there yet takes its room all the same */
        blocks_set(written, blocks_at(io->offset), blocks_behind(end));
    }
    io->done(io, 0);
}

/* Only whole blocks: the rest of a page may be in use. */
static void memory_trim(struct nbd_export *e, struct export_io *io)
{
    uint64_t first = blocks_behind(io->offset), end = blocks_at(io->offset + io->bytes);

    if (first < end) {
        empty(e, first * BLOCKS_BYTES, (end - first) * BLOCKS_BYTES);
        blocks_clear(&memory_of(e)->written, first, end);
    }
    io->done(io, 0);
}

static void memory_cache(struct nbd_export *e, struct export_io *io)
{
    io->done(io, 0);
}

static void memory_map(struct nbd_export *e, struct export_io *io)
{
    const struct blocks *written = &memory_of(e)->written;
    uint64_t at = io->offset, end = io->offset + io->bytes;

    io->owner = e;
    io->extent_count = 0;
    while (at < end && io->extent_count < io->extent_max) {
        bool is_set;
        uint64_t run = blocks_run(written, blocks_at(at), blocks_behind(end), &is_set);
        uint64_t behind = (blocks_at(at) + run) * BLOCKS_BYTES;

        behind = behind < end ? behind : end;
        io->extents[io->extent_count++] = (struct export_extent){
            .bytes = behind - at,
            .state = is_set ? 0 : EXPORT_HOLE | EXPORT_ZERO,
        };
        at = behind;
    }
    io->done(io, 0);
}

/* The last one (acq_rel, with each other's) comes behind all that the others did. */
static void unshare(struct shared *shared)
{
    if (aiox_u32_sub_acq_rel(&shared->users, 1) != 1) {
        return;
    }
    if (shared->memory) {
        munmap(shared->memory, (size_t)shared->size_bytes);
    }
    blocks_fini(&shared->written);
    free(shared);
}

static void memory_close(struct nbd_export *e)
{
    unshare(memory_of(e));
    free(AIOX_CONTAINER_OF(e, struct export_memory, base));
}

static void memory_explain(struct nbd_export *e, struct export_engine *out)
{
    out->name = "memory";
    snprintf(out->why, sizeof(out->why), "memory: there is nothing to wait for");
}

static const struct export_ops memory_ops = {
    .read = memory_read,
    .write = memory_write,
    .flush = memory_flush,
    .zero = memory_zero,
    .trim = memory_trim,
    .cache = memory_cache,
    .map = memory_map,
    .explain = memory_explain,
    .close = memory_close,
};

/* For one user; NULL: no memory. */
static struct shared *map(uint64_t size_bytes)
{
    struct shared *shared = calloc(1, sizeof(*shared));
    void *memory = NULL;

    if (!shared) {
        return NULL;
    }
    if (size_bytes > 0) {
        memory = size_bytes <= SIZE_MAX ? mmap(NULL, (size_t)size_bytes, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                        : MAP_FAILED;
    }
    if (memory == MAP_FAILED) {
        free(shared);
        return NULL;
    }
    shared->memory = memory;
    shared->size_bytes = size_bytes;
    aiox_u32_store_relaxed(&shared->users, 1);
    if (blocks_init(&shared->written, size_bytes) < 0) {
        unshare(shared);
        return NULL;
    }
    return shared;
}

int export_memory_open(struct nbd_export **out, uint64_t size_bytes,
                       const struct nbd_export *sibling, struct aiox_error *err)
{
    struct export_memory *m = calloc(1, sizeof(*m));

    if (!m) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    m->shared = sibling ? memory_of(sibling) : map(size_bytes);
    if (!m->shared) {
        free(m);
        return aiox_error_set(err, -ENOMEM, "no room for %" PRIu64 " bytes of memory", size_bytes);
    }
    if (sibling) { /* which holds one meanwhile */
        aiox_u32_add_relaxed(&m->shared->users, 1);
    }
    m->base.ops = &memory_ops;
    m->base.preferred_bytes = BLOCKS_BYTES;
    m->base.size_bytes = size_bytes;
    *out = &m->base;
    return 0;
}
