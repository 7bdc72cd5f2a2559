/* SPDX-License-Identifier: MIT */
/*
 * ring_sqe.c - the users' own requests, "aiox.completion/1".
 *
 * A request is a slot that remembers its token; the kernel is given the number
 * of the slot. The slot is free again when the last completion has come. An
 * operation that completes twice (IORING_OP_SEND_ZC: sent, then buffer free)
 * is reported at the second with the result of the first.
 *
 * Three things a user's entry may not do here, since it shares the queue with
 * the poll requests: link to what follows that is not the user's
 * (ring_own_sqe_() cuts that), succeed in silence (the flag is cleared, or the
 * token would never come), and drain: wait for all before it, poll requests
 * that may never end among them. Such an entry ends with -EINVAL.
 */
#define _GNU_SOURCE

#include "ring.h"

#include <errno.h>
#include <string.h>

enum {
    FIRST_LENGTH = 64,
    MOST = 1 << 20, /* slots */
    END = MOST,     /* of the list of free slots */
    NO_OPCODE = 255,
    OPCODES = 256, /* they are one byte */
};

struct request {
    uint64_t token;
    int32_t result; /* of the first completion, if another follows */
    unsigned next;  /* free slots: the next one */
    bool in_flight;
};

/* Which operations this kernel knows; none, if it does not say. */
static void ask(struct requests *rs, struct ring *r)
{
    union {
        struct io_uring_probe probe;
        char room[sizeof(struct io_uring_probe) + OPCODES * sizeof(struct io_uring_probe_op)];
    } answer;

    memset(&answer, 0, sizeof(answer));
    if (io_uring_register_probe(&r->lib, &answer.probe, OPCODES) < 0) {
        return;
    }
    for (int i = 0; i < answer.probe.ops_len; i++) {
        if (io_uring_opcode_supported(&answer.probe, i)) {
            rs->known[i / 8] |= (uint8_t)(1u << i % 8);
        }
    }
}

void requests_init_(struct requests *rs, const struct aiox_fdmon_host *host, struct ring *r)
{
    rs->host = host;
    rs->free = END;
    ask(rs, r);
}

void requests_fini_(struct requests *rs)
{
    rs->host->free(rs->host, rs->slots);
}

static void release(struct requests *rs, unsigned slot)
{
    rs->slots[slot].in_flight = false;
    rs->slots[slot].next = rs->free;
    rs->free = slot;
    rs->in_flight--;
}

static bool grow(struct requests *rs)
{
    unsigned length = rs->length ? rs->length * 2 : FIRST_LENGTH;
    struct request *slots;

    if (length > MOST) {
        return false;
    }
    slots = rs->host->alloc(rs->host, length * sizeof(*slots));
    if (!slots) {
        return false;
    }
    if (rs->length) {
        memcpy(slots, rs->slots, rs->length * sizeof(*slots));
    }
    for (unsigned i = length; i-- > rs->length;) {
        slots[i].next = rs->free;
        rs->free = i;
    }
    rs->host->free(rs->host, rs->slots);
    rs->slots = slots;
    rs->length = length;
    return true;
}

static uint64_t user_data_of(unsigned slot)
{
    return (uint64_t)slot << 2 | KIND_REQUEST;
}

int requests_submit_(struct requests *rs, struct ring *r, aiox_fdmon_prepare_fn *prepare,
                     void *opaque, uint64_t token)
{
    struct io_uring_sqe *sqe;
    unsigned slot;

    if (rs->free == END && !grow(rs)) {
        return -EAGAIN;
    }
    sqe = ring_sqe_(r);
    if (!sqe) {
        return -EAGAIN;
    }
    slot = rs->free;
    rs->free = rs->slots[slot].next;
    rs->slots[slot] = (struct request){.token = token, .in_flight = true};
    rs->in_flight++;
    memset(sqe, 0, sizeof(*sqe));
    prepare(sqe, opaque);
    if (sqe->flags & IOSQE_IO_DRAIN) {
        memset(sqe, 0, sizeof(*sqe));
        sqe->opcode = NO_OPCODE;
    }
    sqe->flags &= (uint8_t)~IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, user_data_of(slot));
    return 0;
}

int requests_cancel_(struct requests *rs, struct ring *r, uint64_t token)
{
    for (unsigned slot = 0; slot < rs->length; slot++) {
        if (rs->slots[slot].in_flight && rs->slots[slot].token == token) {
            return ring_queue_cancel_(r, user_data_of(slot)) ? 0 : -EAGAIN;
        }
    }
    return -ENOENT;
}

bool requests_supports_(const struct requests *rs, unsigned opcode)
{
    return opcode < OPCODES && (rs->known[opcode / 8] & 1u << opcode % 8);
}

bool requests_done_(struct requests *rs, const struct io_uring_cqe *cqe,
                    struct aiox_fdmon_event *out)
{
    unsigned slot = (unsigned)(cqe->user_data >> 2);
    struct request *request = &rs->slots[slot];

    if (cqe->flags & IORING_CQE_F_MORE) {
        request->result = cqe->res;
        return false;
    }
    *out = (struct aiox_fdmon_event){
        .token = request->token,
        .result = cqe->flags & IORING_CQE_F_NOTIF ? request->result : cqe->res,
    };
    release(rs, slot);
    return true;
}

void requests_cancel_all_(struct requests *rs)
{
    rs->to_cancel = rs->length;
}

void requests_queue_cancels_(struct requests *rs, struct ring *r)
{
    while (rs->to_cancel > 0) {
        unsigned slot = rs->to_cancel - 1;

        if (rs->slots[slot].in_flight && !ring_queue_cancel_(r, user_data_of(slot))) {
            return;
        }
        rs->to_cancel--;
    }
}

void requests_after_fork_(struct requests *rs)
{
    for (unsigned slot = 0; slot < rs->length; slot++) {
        if (rs->slots[slot].in_flight) {
            release(rs, slot);
        }
    }
}
