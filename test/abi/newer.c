/* SPDX-License-Identifier: MIT */
/*
 * newer.c - a backend as if made for version 1.7 of the contract.
 *
 * All its tables are larger than what this loop knows. The file has a second
 * backend in front, which a loop that looks for this one must pass over.
 */
#include <errno.h>
#include <string.h>

#include "aiox/fdmon.h"

#include "test/abi/blind.h"

/* What version 1.7 adds behind the end of each. */
struct newer_ops {
    struct aiox_fdmon_ops known;
    int (*teleport)(struct aiox_fdmon *mon, uint64_t where);
    void *more[6];
};

struct newer_plugin {
    struct aiox_fdmon_plugin known;
    const char *home_page;
    uint64_t colours;
};

struct newer_completion {
    struct aiox_fdmon_completion known;
    int (*submit_many)(struct aiox_fdmon *mon, int count);
};

static int newer_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    if (host->abi_major != 1 || host->abi_minor >= 7 || host->size > 4096) {
        return -EPROTO;
    }
    return blind_open(host, out);
}

/* Writes as much as the loop has room for, and no more. */
static int newer_probe(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out)
{
    (void)host;
    if (out->size != sizeof(*out)) {
        return -EPROTO;
    }
    strcpy(out->text, "as new");
    return 0;
}

static int newer_submit(struct aiox_fdmon *mon, aiox_fdmon_prepare_fn *prepare, void *opaque,
                        uint64_t token)
{
    (void)mon;
    (void)prepare;
    (void)opaque;
    (void)token;
    return -EAGAIN;
}

static int newer_cancel(struct aiox_fdmon *mon, uint64_t token)
{
    (void)mon;
    (void)token;
    return -ENOENT;
}

static bool newer_supports(struct aiox_fdmon *mon, unsigned opcode)
{
    (void)mon;
    return opcode == 0;
}

static const struct newer_completion completion = {
    .known = {sizeof(completion), 0, newer_submit, newer_cancel, newer_supports},
};

static const void *newer_get_extension(const char *id)
{
    return strcmp(id, AIOX_FDMON_COMPLETION_ID) == 0 ? &completion : NULL;
}

static const struct newer_ops ops = {
    .known =
        {
            .size = sizeof(ops),
            .open = newer_open,
            .close = blind_close,
            .interest = blind_interest,
            .collect = blind_collect,
        },
};

#define DESCRIPTOR(its_name)                                                                       \
    {                                                                                              \
        .known =                                                                                   \
            {                                                                                      \
                .magic = AIOX_FDMON_MAGIC,                                                         \
                .abi_major = 1,                                                                    \
                .abi_minor = 7,                                                                    \
                .size = sizeof(struct newer_plugin),                                               \
                .rank = -1,                                                                        \
                .name = its_name,                                                                  \
                .version = "7.0.0",                                                                \
                .summary = "for tests",                                                            \
                .license = "MIT",                                                                  \
                .caps = AIOX_FDMON_CAP_LEVEL | UINT64_C(1) << 40,                                  \
                .needs = UINT64_C(1) << 41,                                                        \
                .ops = &ops.known,                                                                 \
                .probe = newer_probe,                                                              \
                .get_extension = newer_get_extension,                                              \
            },                                                                                     \
        .home_page = "https://example.org", .colours = 3,                                          \
    }

static const struct newer_plugin descriptors[] = {DESCRIPTOR("other"), DESCRIPTOR("newer")};

/* Of a note, too, there may be more than this loop knows. */
static const struct {
    uint32_t owner_bytes, note_bytes, type;
    char owner[8];
    struct aiox_fdmon_note known;
    char more[16];
} notes[] __attribute__((used, aligned(4), section(".note.aiox.fdmon"))) = {
    {5,
     sizeof(struct aiox_fdmon_note) + 16,
     1,
     "aiox",
     {AIOX_FDMON_MAGIC, 1, 7, "other", "7.0.0"},
     ""},
    {5,
     sizeof(struct aiox_fdmon_note) + 16,
     1,
     "aiox",
     {AIOX_FDMON_MAGIC, 1, 7, "newer", "7.0.0"},
     ""},
};

__attribute__((visibility("default"))) aiox_fdmon_entry_fn aiox_fdmon_plugin_v1;

const struct aiox_fdmon_plugin *aiox_fdmon_plugin_v1(uint32_t index)
{
    return index < 2 ? &descriptors[index].known : NULL;
}
