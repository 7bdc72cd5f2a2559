/* SPDX-License-Identifier: MIT */
/* nbd_load.c - see nbd_load.h. What is read is looked at no more than it takes to count it. */
#define _GNU_SOURCE
#include "nbd_load.h"

#include <endian.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bench/players/bench.h"
#include "bench/players/nbd_wire.h"
#include "scratch.h"

enum { MOST_CLIENTS = 16, MOST_DEPTH = 128, BUFFER_BYTES = 256 << 10 };

/* One connection. */
struct lane {
    const struct nbd_client *client;
    uint64_t next;  /* where the next read in order begins */
    long under_way; /* asked for, or about to be */
    char head[sizeof(struct nbd_reply)];
    size_t head_bytes;                  /* of it that have come */
    size_t to_come;                     /* of what is read, after the head */
    struct nbd_request say[MOST_DEPTH]; /* what goes out next */
    long saying;
};

struct run {
    const struct nbd_load *load;
    struct lane lanes[MOST_CLIENTS];
    struct pollfd fds[MOST_CLIENTS];
    long reads, asked, answered;
    int64_t begin_ns;
    uint64_t seed;
};

static int64_t due_ns(const struct run *r, long read)
{
    return r->begin_ns + read * r->load->interval_ns;
}

/* ---- asking ---- */

static void add_request(struct run *r, struct lane *lane)
{
    uint64_t places = lane->client->bytes / r->load->bytes;
    uint64_t place = r->load->in_order ? lane->next++ : scratch_number(&r->seed);

    lane->say[lane->saying++] = (struct nbd_request){
        .magic = htobe32(NBD_REQUEST_MAGIC),
        .type = htobe16(NBD_COMMAND_READ),
        .cookie = (uint64_t)r->asked,
        .offset = htobe64(place % places * r->load->bytes),
        .bytes = htobe32(r->load->bytes),
    };
    lane->under_way++;
    r->asked++;
}

/* As many as there is room for. */
static void ask_more(struct run *r, struct lane *lane)
{
    while (lane->under_way < r->load->depth && r->asked < r->reads) {
        add_request(r, lane);
    }
}

/* Of the next one that is due. */
static struct lane *its_lane(struct run *r)
{
    return &r->lanes[r->asked % r->load->count];
}

static bool may_ask_next(struct run *r)
{
    return r->asked < r->reads && its_lane(r)->under_way < r->load->depth;
}

static void ask_what_is_due(struct run *r)
{
    int64_t now_ns = wall_ns();

    while (may_ask_next(r) && due_ns(r, r->asked) <= now_ns) {
        add_request(r, its_lane(r));
    }
}

static bool say(struct lane *lane)
{
    size_t bytes = (size_t)lane->saying * sizeof(*lane->say);

    lane->saying = 0;
    return bytes == 0 || nbd_client_send(lane->client, lane->say, bytes);
}

/* ---- hearing ---- */

static size_t less(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void note_answer(struct run *r, struct lane *lane)
{
    struct nbd_reply reply;

    memcpy(&reply, lane->head, sizeof(reply));
    if (r->load->late_us) {
        r->load->late_us[reply.cookie] = (double)(wall_ns() - due_ns(r, (long)reply.cookie)) / 1000;
    }
    lane->head_bytes = 0;
    lane->under_way--;
    r->answered++;
}

/* False: an answer is an error, or none. */
static bool take_head(const struct run *r, struct lane *lane)
{
    struct nbd_reply reply;

    memcpy(&reply, lane->head, sizeof(reply));
    lane->to_come = r->load->bytes;
    return reply.magic == htobe32(NBD_REPLY_MAGIC) && reply.error == 0 &&
           reply.cookie < (uint64_t)r->asked;
}

static bool take(struct run *r, struct lane *lane, const char *data, size_t bytes)
{
    while (bytes > 0) {
        size_t n;

        if (lane->head_bytes < sizeof(lane->head)) {
            n = less(bytes, sizeof(lane->head) - lane->head_bytes);
            memcpy(lane->head + lane->head_bytes, data, n);
            lane->head_bytes += n;
            if (lane->head_bytes == sizeof(lane->head) && !take_head(r, lane)) {
                return false;
            }
        } else {
            n = less(bytes, lane->to_come);
            lane->to_come -= n;
            if (lane->to_come == 0) {
                note_answer(r, lane);
            }
        }
        data += n;
        bytes -= n;
    }
    return true;
}

static bool hear(struct run *r, struct lane *lane)
{
    static char buffer[BUFFER_BYTES];
    ssize_t n = recv(lane->client->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

    return n > 0 && take(r, lane, buffer, (size_t)n);
}

/* Until something was answered, or the next one is due. */
static void wait_for_some(struct run *r)
{
    int64_t left_ns = due_ns(r, r->asked) - wall_ns();
    struct timespec timeout = {left_ns / 1000000000, left_ns % 1000000000};
    bool is_timed = r->load->interval_ns > 0 && may_ask_next(r);

    if (is_timed && left_ns <= 0) {
        timeout = (struct timespec){0};
    }
    must(ppoll(r->fds, (nfds_t)r->load->count, is_timed ? &timeout : NULL, NULL) >= 0);
}

/* ---- both ---- */

static bool hear_and_ask(struct run *r)
{
    if (r->load->interval_ns > 0) {
        ask_what_is_due(r);
    }
    for (int i = 0; i < r->load->count; i++) {
        struct lane *lane = &r->lanes[i];

        if (r->fds[i].revents && !hear(r, lane)) {
            return false;
        }
        if (r->load->interval_ns == 0) {
            ask_more(r, lane);
        }
        if (!say(lane)) {
            return false;
        }
    }
    return true;
}

bool nbd_load_run(const struct nbd_load *load, long reads)
{
    static struct run run;

    must(load->count <= MOST_CLIENTS && load->depth <= MOST_DEPTH);
    run = (struct run){.load = load, .reads = reads, .begin_ns = wall_ns(), .seed = SCRATCH_SEED};
    for (int i = 0; i < load->count; i++) {
        run.lanes[i].client = &load->clients[i];
        run.fds[i] = (struct pollfd){.fd = load->clients[i].fd, .events = POLLIN};
    }
    while (hear_and_ask(&run)) {
        if (run.answered == reads) {
            return true;
        }
        wait_for_some(&run);
    }
    return false;
}
