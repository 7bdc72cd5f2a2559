/* SPDX-License-Identifier: MIT */
/* choose.c - which engine serves a request, and why no better one. */
#include <stdio.h>

#include "aiox/error.h"

#include <linux/io_uring.h>

#include "file.h"

const char *aiox_file_engine_name(enum aiox_file_engine engine)
{
    static const char *const names[AIOX_FILE_ENGINES] = {"none", "ring", "linux_aio", "inline",
                                                         "pool"};

    return names[engine];
}

int choose_opcode_(const struct aiox_file *f, enum aiox_file_op op)
{
    switch (op) {
    case AIOX_FILE_READ:
        return IORING_OP_READV;
    case AIOX_FILE_WRITE:
        return IORING_OP_WRITEV;
    case AIOX_FILE_FSYNC:
    case AIOX_FILE_FDATASYNC:
        return IORING_OP_FSYNC;
    case AIOX_FILE_ALLOCATE:
        return IORING_OP_FALLOCATE;
    case AIOX_FILE_DISCARD:
        return f->is_block_device_ ? -1 : IORING_OP_FALLOCATE;
    case AIOX_FILE_COPY:
        break;
    }
    return -1;
}

static bool ring_serves(const struct aiox_file *f, enum aiox_file_op op)
{
    int opcode = choose_opcode_(f, op);

    return opcode >= 0 && aiox_can_submit(f->ctx_, (unsigned)opcode);
}

static bool aio_serves(struct aiox_file *f, enum aiox_file_op op)
{
    if ((op != AIOX_FILE_READ && op != AIOX_FILE_WRITE) || !f->is_direct_) {
        return false;
    }
    if (f->aio_error_ > 0) {
        f->aio_error_ = aiox_linux_aio_get(&f->aio_, f->ctx_);
    }
    return f->aio_error_ == 0;
}

enum aiox_file_engine choose_(struct aiox_file *f, enum aiox_file_op op, unsigned avoid)
{
    avoid |= f->options_.avoid;
    if (!(avoid & 1u << AIOX_FILE_RING) && ring_serves(f, op)) {
        return AIOX_FILE_RING;
    }
    if (!(avoid & 1u << AIOX_FILE_LINUX_AIO) && aio_serves(f, op)) {
        return AIOX_FILE_LINUX_AIO;
    }
    return AIOX_FILE_POOL;
}

/* ---- in words ---- */

static int say_ring(const struct aiox_file *f, enum aiox_file_op op, char *out, size_t bytes)
{
    struct aiox_backend_info info;

    aiox_context_backend_info(f->ctx_, &info);
    if (f->options_.avoid & 1u << AIOX_FILE_RING) {
        return snprintf(out, bytes, "the ring is to be avoided");
    }
    if (choose_opcode_(f, op) < 0) {
        return snprintf(out, bytes, "rings have no such operation");
    }
    if (!aiox_has_completion(f->ctx_)) {
        return snprintf(out, bytes, "the backend '%s' takes no requests", info.name);
    }
    return snprintf(out, bytes, "the backend '%s' %s the operation", info.name,
                    ring_serves(f, op) ? "takes" : "does not know");
}

static int say_aio(const struct aiox_file *f, enum aiox_file_op op, char *out, size_t bytes)
{
    if (f->options_.avoid & 1u << AIOX_FILE_LINUX_AIO) {
        return snprintf(out, bytes, "native AIO is to be avoided");
    }
    if (op != AIOX_FILE_READ && op != AIOX_FILE_WRITE) {
        return snprintf(out, bytes, "native AIO reads and writes");
    }
    if (!f->is_direct_) {
        return snprintf(out, bytes, "the file is not O_DIRECT");
    }
    return f->aio_error_ < 0
               ? snprintf(out, bytes, "no native AIO: %s", aiox_error_text(f->aio_error_))
               : snprintf(out, bytes, "the file is O_DIRECT");
}

void aiox_file_explain(struct aiox_file *f, enum aiox_file_op op, struct aiox_file_choice *out)
{
    size_t used;

    out->engine = choose_(f, op, 0);
    used = (size_t)snprintf(out->why, sizeof(out->why), "%s: ", aiox_file_engine_name(out->engine));
    used += (size_t)say_ring(f, op, out->why + used, sizeof(out->why) - used);
    if (out->engine != AIOX_FILE_RING && used + 2 < sizeof(out->why)) {
        used += (size_t)snprintf(out->why + used, sizeof(out->why) - used, "; ");
        (void)say_aio(f, op, out->why + used, sizeof(out->why) - used);
    }
}
