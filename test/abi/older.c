/* SPDX-License-Identifier: MIT */
/*
 * older.c - a backend as if made when the contract was smaller.
 *
 * Its tables end where those of a first version could have ended: functions
 * up to collect(), a descriptor without extensions. The loop must take the
 * rest as zero, and must not write behind the end of the smaller probe result.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct aiox_fdmon {
    int unused;
};

struct older_host {
    uint32_t size;
    uint16_t abi_major;
    uint16_t abi_minor;
    void *opaque;
};

struct older_ops {
    uint32_t size;
    uint32_t reserved;
    int (*open)(const struct older_host *host, struct aiox_fdmon **out);
    void (*close)(struct aiox_fdmon *mon);
    int (*interest)(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                    uint64_t token);
    int (*collect)(struct aiox_fdmon *mon, int64_t timeout_ns, void *out, int max);
};

struct older_plugin {
    uint32_t magic;
    uint16_t abi_major;
    uint16_t abi_minor;
    uint32_t size;
    int32_t rank;
    const char *name;
    const char *version;
    const char *summary;
    const char *license;
    uint64_t caps;
    uint64_t needs;
    const struct older_ops *ops;
    const void *options;
    int (*probe)(const struct older_host *host, void *out);
};

struct older_note {
    uint32_t owner_bytes, note_bytes, type;
    char owner[8];
    uint32_t magic;
    uint16_t abi_major, abi_minor;
    char name[32];
    char version[24];
};

static struct aiox_fdmon the_one;

static int older_open(const struct older_host *host, struct aiox_fdmon **out)
{
    if (host->size < sizeof(*host)) {
        return -EPROTO;
    }
    *out = &the_one;
    return 0;
}

static void older_close(struct aiox_fdmon *mon)
{
    (void)mon;
}

static int older_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                          uint64_t token)
{
    (void)mon;
    (void)fd;
    (void)old_events;
    (void)events;
    (void)token;
    return 0;
}

static int older_collect(struct aiox_fdmon *mon, int64_t timeout_ns, void *out, int max)
{
    (void)mon;
    (void)timeout_ns;
    (void)out;
    (void)max;
    return 0;
}

static int older_probe(const struct older_host *host, void *out)
{
    (void)host;
    (void)out;
    return 0;
}

/* What follows a table in memory is none of it: here, what would be pointers is garbage. */
static const struct {
    struct older_ops table;
    unsigned char garbage[128];
} ops = {
    {sizeof(ops.table), 0, older_open, older_close, older_interest, older_collect},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

static const struct {
    struct older_plugin table;
    unsigned char garbage[128];
} descriptor = {
    {0x314d4446u, 1, 0, sizeof(descriptor.table), -1, "older", "0.0.1", "for tests", "MIT", 0, 0,
     &ops.table, NULL, older_probe},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

static const struct older_note note __attribute__((used, aligned(4), section(".note.aiox"))) = {
    5,           sizeof(struct older_note) - offsetof(struct older_note, magic),
    1,           "aiox",
    0x314d4446u, 1,
    0,           "older",
    "0.0.1",
};

__attribute__((visibility("default"))) const struct older_plugin *
aiox_fdmon_plugin_v1(uint32_t index);

const struct older_plugin *aiox_fdmon_plugin_v1(uint32_t index)
{
    return index == 0 ? &descriptor.table : NULL;
}
