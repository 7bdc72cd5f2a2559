/* SPDX-License-Identifier: MIT */
/*
 * handshake.c - one function per phase, one per option.
 *
 * A phase does one thing and says GO_ON, or why it cannot. An option is
 * answered when its data is there as a whole and there is room for the longest
 * answer, so no answer is ever left half-way; the list of exports is a phase of
 * its own because it may be longer than any room.
 *
 * Sections of the specification are cited by their titles.
 */
#include "handshake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "text.h"

/* Not a verdict for the caller: the next phase can be looked at. */
enum { GO_ON = -1 };

static const char no_such_export[] = "there is no export of this name";

/* ---- words ---- */

AIOX_PRINTF(2, 3) static int broken(struct handshake *h, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    vsnprintf(h->words, sizeof(h->words), format, values);
    va_end(values);
    return HANDSHAKE_BROKEN;
}

static void remark_unknown(struct handshake *h, const void *name, size_t bytes)
{
    char quoted[TEXT_QUOTED];

    snprintf(h->words, sizeof(h->words), "asks for export %s, which does not exist",
             text_quote(quoted, name, bytes));
}

/* ---- answers ---- */

static void reply(struct bytes *out, uint32_t option, uint32_t type, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    uint8_t *to = bytes_back(out);
    size_t n = wire_put_option_reply(to, option, type, (uint32_t)length);

    if (length > 0) {
        memcpy(to + n, text, length);
    }
    bytes_put(out, n + length);
}

static bool has_room(const struct bytes *out)
{
    return bytes_room(out) >= HANDSHAKE_OUT_BYTES;
}

/* Answers an option with an error. Too many of those end the handshake. */
static int refuse(struct handshake *h, struct bytes *out, uint32_t type, const char *text)
{
    if (++h->refusals > HANDSHAKE_REFUSALS_MAX) {
        return broken(h, "sent more than %d options that were refused", HANDSHAKE_REFUSALS_MAX);
    }
    reply(out, h->option, type, text);
    return GO_ON;
}

/* ---- options: @data is whole, @out has room for the longest answer ---- */

/* "NBD_OPT_EXPORT_NAME": the only answer to an unknown name is to hang up. */
static int answer_export_name(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    h->chosen = export_list_find(h->exports, data, n);
    if (!h->chosen) {
        remark_unknown(h, data, n);
        return HANDSHAKE_BROKEN;
    }
    bytes_put(out, wire_put_export_name_reply(bytes_back(out), h->chosen->size_bytes,
                                              export_flags(h->chosen), !h->no_zeroes));
    return HANDSHAKE_SERVE;
}

static int answer_abort(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    reply(out, h->option, NBD_REP_ACK, NULL);
    return HANDSHAKE_END;
}

static int answer_list(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    if (n != 0) {
        return refuse(h, out, NBD_REP_ERR_INVALID, "this option has no data");
    }
    h->list_next = h->exports->first;
    h->phase = HANDSHAKE_LIST;
    return GO_ON;
}

static void put_info(const struct handshake *h, const struct nbd_export *e,
                     const struct wire_go *go, struct bytes *out)
{
    uint8_t *to = bytes_back(out);
    size_t n = wire_put_option_reply(to, h->option, NBD_REP_INFO, WIRE_INFO_EXPORT);

    n += wire_put_info_export(to + n, e->size_bytes, export_flags(e));
    if (wire_go_wants(go, NBD_INFO_NAME)) {
        n += wire_put_option_reply(to + n, h->option, NBD_REP_INFO, (uint32_t)(2 + e->name_bytes));
        n += wire_put_u16(to + n, NBD_INFO_NAME);
        memcpy(to + n, e->name, e->name_bytes);
        n += e->name_bytes;
    }
    bytes_put(out, n);
}

/* "NBD_OPT_INFO": what NBD_OPT_GO says, and stays. */
static int answer_info(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    struct wire_go go;
    struct nbd_export *e;

    if (!wire_get_go(data, n, &go)) {
        return refuse(h, out, NBD_REP_ERR_INVALID, "the lengths in this option do not add up");
    }
    if (go.name_bytes > NBD_STRING_MAX) {
        return refuse(h, out, NBD_REP_ERR_TOO_BIG, "this name is longer than 4096 bytes");
    }
    e = export_list_find(h->exports, go.name, go.name_bytes);
    if (!e) {
        int verdict = refuse(h, out, NBD_REP_ERR_UNKNOWN, no_such_export);

        if (verdict == GO_ON) {
            remark_unknown(h, go.name, go.name_bytes);
            verdict = HANDSHAKE_REMARK;
        }
        return verdict;
    }
    put_info(h, e, &go, out);
    reply(out, h->option, NBD_REP_ACK, NULL);
    h->chosen = e;
    return GO_ON;
}

static int answer_go(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    int verdict;

    h->chosen = NULL;
    verdict = answer_info(h, data, n, out);
    return h->chosen ? HANDSHAKE_SERVE : verdict;
}

/* Every option that this server knows. */
static const struct option_row {
    uint32_t option;
    int (*answer)(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out);
} options[] = {
    {NBD_OPT_EXPORT_NAME, answer_export_name},
    {NBD_OPT_ABORT, answer_abort},
    {NBD_OPT_LIST, answer_list},
    {NBD_OPT_INFO, answer_info},
    {NBD_OPT_GO, answer_go},
};

static const struct option_row *row_of(uint32_t option)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (options[i].option == option) {
            return &options[i];
        }
    }
    return NULL;
}

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
        return broken(h, "answers the greeting with unknown flags 0x%08" PRIx32, flags);
    }
    h->no_zeroes = flags & NBD_FLAG_NO_ZEROES;
    h->phase = HANDSHAKE_OPTION;
    return GO_ON;
}

/* Takes the header of an option whose data will be skipped and then answered with @refusal. */
static int skip_option(struct handshake *h, struct bytes *in, uint32_t length, uint32_t refusal)
{
    bytes_take(in, WIRE_OPTION);
    h->skip = length;
    h->refusal = refusal;
    h->phase = HANDSHAKE_SKIP;
    return GO_ON;
}

static int phase_option(struct handshake *h, struct bytes *in, struct bytes *out)
{
    const struct option_row *row;
    struct wire_option header;
    int verdict;

    if (bytes_held(in) < WIRE_OPTION) {
        return HANDSHAKE_HUNGRY;
    }
    wire_get_option(bytes_front(in), &header);
    if (header.magic != NBD_OPTION_MAGIC) {
        return broken(h, "sent 0x%016" PRIx64 " where an option begins", header.magic);
    }
    row = row_of(header.option);
    if (header.length > HANDSHAKE_SKIP_MAX ||
        (header.option == NBD_OPT_EXPORT_NAME && header.length > NBD_STRING_MAX)) {
        return broken(h, "announces %" PRIu32 " bytes for option %" PRIu32, header.length,
                      header.option);
    }
    h->option = header.option;
    if (!row || header.length > HANDSHAKE_DATA_MAX) {
        return skip_option(h, in, header.length, row ? NBD_REP_ERR_TOO_BIG : NBD_REP_ERR_UNSUP);
    }
    if (bytes_held(in) < WIRE_OPTION + header.length) {
        return HANDSHAKE_HUNGRY;
    }
    if (!has_room(out)) {
        return HANDSHAKE_FULL;
    }
    verdict = row->answer(h, bytes_front(in) + WIRE_OPTION, header.length, out);
    bytes_take(in, WIRE_OPTION + header.length);
    return verdict;
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
    if (!has_room(out)) {
        return HANDSHAKE_FULL;
    }
    h->phase = HANDSHAKE_OPTION;
    return refuse(h, out, h->refusal, NULL);
}

/* "NBD_OPT_LIST": one NBD_REP_SERVER each, then NBD_REP_ACK. */
static int phase_list(struct handshake *h, struct bytes *in, struct bytes *out)
{
    const struct nbd_export *e = h->list_next;
    uint8_t *to;
    size_t n;

    if (!has_room(out)) {
        return HANDSHAKE_FULL;
    }
    if (!e) {
        reply(out, h->option, NBD_REP_ACK, NULL);
        h->phase = HANDSHAKE_OPTION;
        return GO_ON;
    }
    to = bytes_back(out);
    n = wire_put_option_reply(to, h->option, NBD_REP_SERVER, (uint32_t)(4 + e->name_bytes));
    n += wire_put_u32(to + n, (uint32_t)e->name_bytes);
    memcpy(to + n, e->name, e->name_bytes);
    bytes_put(out, n + e->name_bytes);
    h->list_next = e->next;
    return GO_ON;
}

void handshake_start(struct handshake *h, const struct export_list *exports, struct bytes *out)
{
    *h = (struct handshake){.exports = exports};
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
    } while (verdict == GO_ON);
    return (enum handshake_verdict)verdict;
}
