/* SPDX-License-Identifier: MIT */
/*
 * handshake.c - one function per phase.
 *
 * A phase does one thing and says HAGGLE_ON, or why it cannot. What an option is
 * answered stands in haggle.c; the list of exports is a phase of its own because
 * it may be longer than any room.
 *
 * Sections of the specification are cited by their titles.
 */
#include "handshake.h"

#include <inttypes.h>

#include "haggle.h"

/* ---- phases ---- */

/* "Client flags": one that was not offered ends the connection. */
static int phase_flags(struct handshake *h, struct bytes *in, struct bytes *out)
{
    uint32_t flags;

    if (bytes_held(in) < WIRE_CLIENT_FLAGS) {
        return HANDSHAKE_HUNGRY;
    }
    flags = wire_get_client_flags(bytes_front(in));
    bytes_take(in, WIRE_CLIENT_FLAGS);
    if (flags & ~(uint32_t)(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES)) {
        return haggle_broken(h, "answers the greeting with unknown flags 0x%08" PRIx32, flags);
    }
    h->no_zeroes = flags & NBD_FLAG_NO_ZEROES;
    h->phase = HANDSHAKE_OPTION;
    return HAGGLE_ON;
}

/* Takes the header of an option whose data will be skipped and then answered with @refusal. */
static int skip_option(struct handshake *h, struct bytes *in, uint32_t length, uint32_t refusal)
{
    bytes_take(in, WIRE_OPTION);
    h->skip = length;
    h->refusal = refusal;
    h->phase = HANDSHAKE_SKIP;
    return HAGGLE_ON;
}

/* "TLS negotiation": nothing but these two is said in the clear where it is required. */
static bool lacks_tls(const struct handshake *h, uint32_t option)
{
    return h->tls == HANDSHAKE_TLS_REQUIRE && !h->secure && option != NBD_OPT_STARTTLS &&
           option != NBD_OPT_ABORT;
}

static int refuse_without_tls(struct handshake *h, struct bytes *in, uint32_t length)
{
    if (h->option == NBD_OPT_EXPORT_NAME) { /* has no other answer */
        return haggle_broken(h, "asks for an export without TLS, which is required");
    }
    return skip_option(h, in, length, NBD_REP_ERR_TLS_REQD);
}

/*
 * What was said in the clear does not count behind STARTTLS. Nobody has a reason to
 * send more before the answer is there: those are bytes that somebody on the way
 * wants to have taken for encrypted ones.
 */
static int begin_tls(struct handshake *h, const struct bytes *in)
{
    if (bytes_held(in) > 0) {
        return haggle_broken(h, "sent %zu plain bytes behind STARTTLS", bytes_held(in));
    }
    h->secure = true;
    h->dialect = (struct dialect){0};
    h->meta_export = NULL;
    h->chosen = NULL;
    return HANDSHAKE_TLS;
}

/* All of the option is here. */
static int answer_option(struct handshake *h, const struct haggle_row *row, uint32_t length,
                         struct bytes *in, struct bytes *out)
{
    int verdict = row->answer(h, bytes_front(in) + WIRE_OPTION, length, out);

    bytes_take(in, WIRE_OPTION + length);
    return verdict == HANDSHAKE_TLS ? begin_tls(h, in) : verdict;
}

static int phase_option(struct handshake *h, struct bytes *in, struct bytes *out)
{
    const struct haggle_row *row;
    struct wire_option header;

    if (bytes_held(in) < WIRE_OPTION) {
        return HANDSHAKE_HUNGRY;
    }
    wire_get_option(bytes_front(in), &header);
    if (header.magic != NBD_OPTION_MAGIC) {
        return haggle_broken(h, "sent 0x%016" PRIx64 " where an option begins", header.magic);
    }
    row = haggle_row_of(header.option);
    if (header.length > HANDSHAKE_SKIP_MAX ||
        (header.option == NBD_OPT_EXPORT_NAME && header.length > NBD_STRING_MAX)) {
        return haggle_broken(h, "announces %" PRIu32 " bytes for option %" PRIu32, header.length,
                             header.option);
    }
    h->option = header.option;
    if (lacks_tls(h, header.option)) {
        return refuse_without_tls(h, in, header.length);
    }
    if (!row || header.length > HANDSHAKE_DATA_MAX) {
        if (header.option == NBD_OPT_SET_META_CONTEXT) { /* also when it fails */
            h->meta_export = NULL;
        }
        return skip_option(h, in, header.length, row ? NBD_REP_ERR_TOO_BIG : NBD_REP_ERR_UNSUP);
    }
    if (bytes_held(in) < WIRE_OPTION + header.length) {
        return HANDSHAKE_HUNGRY;
    }
    if (!haggle_has_room(out)) {
        return HANDSHAKE_FULL;
    }
    return answer_option(h, row, header.length, in, out);
}

static int phase_skip(struct handshake *h, struct bytes *in, struct bytes *out)
{
    size_t held = bytes_held(in);
    uint32_t n = held < h->skip ? (uint32_t)held : h->skip;

    bytes_take(in, n);
    h->skip -= n;
    if (h->skip > 0) {
        return HANDSHAKE_HUNGRY;
    }
    if (!haggle_has_room(out)) {
        return HANDSHAKE_FULL;
    }
    h->phase = HANDSHAKE_OPTION;
    return haggle_refuse(h, out, h->refusal, NULL);
}

/* "NBD_OPT_LIST": one NBD_REP_SERVER each, then NBD_REP_ACK. */
static int phase_list(struct handshake *h, struct bytes *in, struct bytes *out)
{
    const struct nbd_export *e = h->list_next;

    if (!haggle_has_room(out)) {
        return HANDSHAKE_FULL;
    }
    if (!e) {
        haggle_reply(out, h->option, NBD_REP_ACK, NULL);
        h->phase = HANDSHAKE_OPTION;
        return HAGGLE_ON;
    }
    haggle_put_server(h, e, out);
    h->list_next = e->next;
    return HAGGLE_ON;
}

void handshake_start(struct handshake *h, const struct export_list *exports,
                     uint32_t max_request_bytes, struct bytes *out)
{
    *h = (struct handshake){.exports = exports, .max_request_bytes = max_request_bytes};
    bytes_put(out,
              wire_put_greeting(bytes_back(out), NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES));
}

enum handshake_verdict handshake_step(struct handshake *h, struct bytes *in, struct bytes *out)
{
    static int (*const phases[])(struct handshake * h, struct bytes * in, struct bytes * out) = {
        [HANDSHAKE_FLAGS] = phase_flags,
        [HANDSHAKE_OPTION] = phase_option,
        [HANDSHAKE_SKIP] = phase_skip,
        [HANDSHAKE_LIST] = phase_list,
    };
    int verdict;

    do {
        verdict = phases[h->phase](h, in, out);
    } while (verdict == HAGGLE_ON);
    return (enum handshake_verdict)verdict;
}
