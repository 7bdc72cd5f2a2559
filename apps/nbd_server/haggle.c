/* SPDX-License-Identifier: MIT */
/*
 * haggle.c - one function per option, one row in the table for each.
 *
 * What was agreed is in h->dialect, and in h->meta_export for which export the
 * client selected a context: STARTTLS, which puts the handshake back to its start,
 * zeroes these two (handshake.c).
 *
 * Sections of the specification are cited by their titles.
 */
#include "haggle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const char no_such_export[] = "there is no export of this name";
static const char has_no_data[] = "this option has no data";
static const char wrong_lengths[] = "the lengths in this option do not add up";
static const char name_too_long[] = "this name is longer than 4096 bytes";

static const char has_large_blocks[] = "ask for NBD_INFO_BLOCK_SIZE: this has large blocks";

enum { UNTOLD_BLOCK_BYTES = 512 };

static const char context_namespace[] = "base:";
static const char context_allocation[] = "base:allocation";

/* ---- words ---- */

int haggle_broken(struct handshake *h, const char *format, ...)
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

/* @head and @tail, which may be NULL, are the data. */
static void put_reply(struct bytes *out, uint32_t option, uint32_t type, const struct bytes *head,
                      const char *tail)
{
    size_t head_bytes = head ? bytes_held(head) : 0, tail_bytes = tail ? strlen(tail) : 0;
    uint8_t *to = bytes_back(out);
    size_t n = wire_put_option_reply(to, option, type, (uint32_t)(head_bytes + tail_bytes));

    if (head_bytes > 0) {
        memcpy(to + n, bytes_front(head), head_bytes);
    }
    if (tail_bytes > 0) {
        memcpy(to + n + head_bytes, tail, tail_bytes);
    }
    bytes_put(out, n + head_bytes + tail_bytes);
}

void haggle_reply(struct bytes *out, uint32_t option, uint32_t type, const char *text)
{
    put_reply(out, option, type, NULL, text);
}

bool haggle_has_room(const struct bytes *out)
{
    return bytes_room(out) >= HANDSHAKE_OUT_BYTES;
}

int haggle_refuse(struct handshake *h, struct bytes *out, uint32_t type, const char *text)
{
    if (++h->refusals > HANDSHAKE_REFUSALS_MAX) {
        return haggle_broken(h, "sent more than %d options that were refused",
                             HANDSHAKE_REFUSALS_MAX);
    }
    haggle_reply(out, h->option, type, text);
    return HAGGLE_ON;
}

/* To a name that is not served; the log is told as well. */
static int refuse_unknown(struct handshake *h, struct bytes *out, const uint8_t *name, size_t bytes)
{
    int verdict = haggle_refuse(h, out, NBD_REP_ERR_UNKNOWN, no_such_export);

    if (verdict == HAGGLE_ON) {
        remark_unknown(h, name, bytes);
        verdict = HANDSHAKE_REMARK;
    }
    return verdict;
}

void haggle_put_server(const struct handshake *h, const struct nbd_export *e, struct bytes *out)
{
    size_t words = e->description ? strlen(e->description) : 0;
    size_t length = 4 + e->name_bytes + words;
    uint8_t *to = bytes_back(out);
    size_t n = wire_put_option_reply(to, h->option, NBD_REP_SERVER, (uint32_t)length);

    n += wire_put_u32(to + n, (uint32_t)e->name_bytes);
    memcpy(to + n, e->name, e->name_bytes);
    if (words > 0) {
        memcpy(to + n + e->name_bytes, e->description, words);
    }
    bytes_put(out, n + e->name_bytes + words);
}

/* ---- which export ---- */

/* What was agreed, as far as it holds for @e. */
static void settle(struct handshake *h, const struct nbd_export *e)
{
    h->dialect.allocation = h->meta_export == e;
}

static uint16_t flags_of(const struct handshake *h, const struct nbd_export *e)
{
    uint16_t flags = export_flags(e);

    if (h->dialect.replies >= REPLIES_STRUCTURED) {
        flags |= NBD_FLAG_SEND_DF;
    }
    if (h->dialect.replies == REPLIES_EXTENDED && h->meta_export == e) {
        flags |= NBD_FLAG_BLOCK_STATUS_PAYLOAD;
    }
    return flags;
}

/*
 * "Block size constraints": a client that was not told takes multiples of 512 to
 * be good everywhere. Where they are not, it has to ask.
 */
static bool needs_blocks(const struct nbd_export *e)
{
    return e->min_mask >= UNTOLD_BLOCK_BYTES;
}

/* "NBD_OPT_EXPORT_NAME": the only answer to an unknown name is to hang up. */
static int answer_export_name(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    h->chosen = export_list_find(h->exports, data, n);
    if (!h->chosen) {
        remark_unknown(h, data, n);
        return HANDSHAKE_BROKEN;
    }
    if (needs_blocks(h->chosen)) {
        return haggle_broken(h, "chooses an export of large blocks by an option that has none");
    }
    settle(h, h->chosen);
    bytes_put(out, wire_put_export_name_reply(bytes_back(out), h->chosen->size_bytes,
                                              flags_of(h, h->chosen), !h->no_zeroes));
    return HANDSHAKE_SERVE;
}

static int answer_abort(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    haggle_reply(out, h->option, NBD_REP_ACK, NULL);
    return HANDSHAKE_END;
}

static int answer_list(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    if (n != 0) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, has_no_data);
    }
    h->list_next = h->exports->first;
    h->phase = HANDSHAKE_LIST;
    return HAGGLE_ON;
}

/* An NBD_REP_INFO of @info and words. */
static void put_info_text(const struct handshake *h, uint16_t info, const char *text,
                          struct bytes *out)
{
    uint8_t memory[2];
    struct bytes head = {.memory = memory, .capacity = sizeof(memory)};

    bytes_put(&head, wire_put_u16(memory, info));
    put_reply(out, h->option, NBD_REP_INFO, &head, text);
}

static void put_infos(const struct handshake *h, const struct nbd_export *e,
                      const struct wire_go *go, struct bytes *out)
{
    uint8_t memory[WIRE_INFO_BLOCK_SIZE];
    struct bytes data = {.memory = memory, .capacity = sizeof(memory)};

    bytes_put(&data, wire_put_info_export(memory, e->size_bytes, flags_of(h, e)));
    put_reply(out, h->option, NBD_REP_INFO, &data, NULL);
    if (wire_go_wants(go, NBD_INFO_NAME)) {
        put_info_text(h, NBD_INFO_NAME, e->name, out);
    }
    if (wire_go_wants(go, NBD_INFO_DESCRIPTION) && e->description) {
        put_info_text(h, NBD_INFO_DESCRIPTION, e->description, out);
    }
    if (e->min_mask || wire_go_wants(go, NBD_INFO_BLOCK_SIZE)) {
        data.start = data.end = 0;
        bytes_put(&data, wire_put_info_block_size(memory, e->min_mask + 1, e->preferred_bytes,
                                                  h->max_request_bytes));
        put_reply(out, h->option, NBD_REP_INFO, &data, NULL);
    }
}

/* "NBD_OPT_INFO": what NBD_OPT_GO says, and stays. */
static int answer_info(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    struct wire_go go;
    struct nbd_export *e;

    if (!wire_get_go(data, n, &go)) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, wrong_lengths);
    }
    if (go.name_bytes > NBD_STRING_MAX) {
        return haggle_refuse(h, out, NBD_REP_ERR_TOO_BIG, name_too_long);
    }
    e = export_list_find(h->exports, go.name, go.name_bytes);
    if (!e) {
        return refuse_unknown(h, out, go.name, go.name_bytes);
    }
    if (h->option == NBD_OPT_GO && needs_blocks(e) && !wire_go_wants(&go, NBD_INFO_BLOCK_SIZE)) {
        return haggle_refuse(h, out, NBD_REP_ERR_BLOCK_SIZE_REQD, has_large_blocks);
    }
    put_infos(h, e, &go, out);
    haggle_reply(out, h->option, NBD_REP_ACK, NULL);
    h->chosen = e;
    return HAGGLE_ON;
}

static int answer_go(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    int verdict;

    h->chosen = NULL;
    verdict = answer_info(h, data, n, out);
    if (!h->chosen) {
        return verdict;
    }
    settle(h, h->chosen);
    return HANDSHAKE_SERVE;
}

/* ---- how to speak ---- */

/* Agrees on @replies, unless that or more was agreed before. */
static int agree(struct handshake *h, size_t data_bytes, struct bytes *out,
                 enum dialect_replies replies)
{
    if (data_bytes != 0) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, has_no_data);
    }
    if (h->dialect.replies >= replies) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, "this, or more, was agreed before");
    }
    h->dialect.replies = replies;
    haggle_reply(out, h->option, NBD_REP_ACK, NULL);
    return HAGGLE_ON;
}

/* "NBD_OPT_STRUCTURED_REPLY" */
static int answer_structured(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    return agree(h, n, out, REPLIES_STRUCTURED);
}

/* "NBD_OPT_EXTENDED_HEADERS" */
static int answer_extended(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    return agree(h, n, out, REPLIES_EXTENDED);
}

/* "NBD_OPT_STARTTLS" */
static int answer_starttls(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    if (h->tls == HANDSHAKE_TLS_OFF) {
        return haggle_refuse(h, out, NBD_REP_ERR_UNSUP, NULL);
    }
    if (n != 0) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, has_no_data);
    }
    if (h->secure) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, "this is encrypted already");
    }
    haggle_reply(out, h->option, NBD_REP_ACK, NULL);
    return HANDSHAKE_TLS;
}

/* ---- "Metadata querying" ---- */

static bool is_query(const uint8_t *query, uint32_t bytes, const char *text)
{
    return bytes == strlen(text) && memcmp(query, text, bytes) == 0;
}

/* Contexts that nobody here knows are passed over, however many and however long. */
static bool wants_allocation(struct wire_meta *meta, bool listing)
{
    const uint8_t *query;
    uint32_t bytes;

    if (listing && meta->query_count == 0) {
        return true;
    }
    while (wire_next_query(meta, &query, &bytes)) {
        if (is_query(query, bytes, context_allocation) ||
            (listing && is_query(query, bytes, context_namespace))) {
            return true;
        }
    }
    return false;
}

/* Says in *@wanted whether the context was asked for, and of whom. */
static int answer_meta(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out,
                       struct nbd_export **wanted)
{
    bool listing = h->option == NBD_OPT_LIST_META_CONTEXT;
    uint8_t id[4];
    struct bytes head = {.memory = id, .capacity = sizeof(id)};
    struct wire_meta meta;
    struct nbd_export *e;

    *wanted = NULL;
    if (h->dialect.replies == REPLIES_SIMPLE) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, "structured replies come first");
    }
    if (!wire_get_meta(data, n, &meta)) {
        return haggle_refuse(h, out, NBD_REP_ERR_INVALID, wrong_lengths);
    }
    if (meta.name_bytes > NBD_STRING_MAX) {
        return haggle_refuse(h, out, NBD_REP_ERR_TOO_BIG, name_too_long);
    }
    e = export_list_find(h->exports, meta.name, meta.name_bytes);
    if (!e) {
        return refuse_unknown(h, out, meta.name, meta.name_bytes);
    }
    if (wants_allocation(&meta, listing)) {
        bytes_put(&head, wire_put_u32(id, listing ? 0 : DIALECT_ALLOCATION_ID));
        put_reply(out, h->option, NBD_REP_META_CONTEXT, &head, context_allocation);
        *wanted = e;
    }
    haggle_reply(out, h->option, NBD_REP_ACK, NULL);
    return HAGGLE_ON;
}

static int answer_list_meta(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    struct nbd_export *listed;

    return answer_meta(h, data, n, out, &listed);
}

/* "NBD_OPT_SET_META_CONTEXT": replaces what was set before, also when it fails. */
static int answer_set_meta(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out)
{
    return answer_meta(h, data, n, out, &h->meta_export);
}

/* ---- the table ---- */

static const struct haggle_row rows[] = {
    {NBD_OPT_EXPORT_NAME, answer_export_name},
    {NBD_OPT_ABORT, answer_abort},
    {NBD_OPT_LIST, answer_list},
    {NBD_OPT_STARTTLS, answer_starttls},
    {NBD_OPT_INFO, answer_info},
    {NBD_OPT_GO, answer_go},
    {NBD_OPT_STRUCTURED_REPLY, answer_structured},
    {NBD_OPT_LIST_META_CONTEXT, answer_list_meta},
    {NBD_OPT_SET_META_CONTEXT, answer_set_meta},
    {NBD_OPT_EXTENDED_HEADERS, answer_extended},
};

const struct haggle_row *haggle_row_of(uint32_t option)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].option == option) {
            return &rows[i];
        }
    }
    return NULL;
}
