/* SPDX-License-Identifier: MIT */
/*
 * export.h - what can be served: a range of bytes with a name.
 *
 * An export reads, writes, flushes, and what else struct export_ops has; whoever
 * asks brings the struct of the request and is told the end of it by a call to
 * done, once, perhaps before the asking call has returned. Any number of requests
 * may be under way. The asker has checked them: inside the range, in blocks of the
 * minimum size, no write to what is read-only.
 */
#ifndef AIOX_NBD_EXPORT_H_
#define AIOX_NBD_EXPORT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "aiox/aio_pool.h"
#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/file.h"

#include "traffic.h"

AIOX_BEGIN_DECLS

struct nbd_export;

/* Bits of a state, as on the wire (NBD_STATE_HOLE, NBD_STATE_ZERO). */
enum {
    EXPORT_HOLE = 1 << 0, /* takes no room */
    EXPORT_ZERO = 1 << 1, /* reads as zeroes */
};

/* A stretch whose bytes are all in the same state. */
struct export_extent {
    uint64_t bytes; /* more than 0 */
    uint32_t state;
};

/* One request. Lives with the asker, untouched from the call until done. */
struct export_io {
    uint64_t offset;
    uint64_t bytes;
    bool fua;      /* a write, zero or trim: not done before it is on stable storage */
    bool keep;     /* zero: the range shall take its room, so that a later write finds it */
    bool fast;     /* zero: -EOPNOTSUPP, at once, if it is not quicker than a write */
    bool hint;     /* map: what was data before may be called data, if that is quicker */
    uint8_t *data; /* read into, or written from */
    struct export_extent *extents;                  /* map: filled from the start of the range on */
    uint32_t extent_max;                            /* at least 1 */
    uint32_t extent_count;                          /* out */
    void (*done)(struct export_io *io, int result); /* 0 or a negative errno */

    /* The export's own meanwhile. */
    struct nbd_export *owner;
    struct export_io *next;
    uint64_t moved;
    struct iovec iov;
    uint8_t stage;
    uint8_t attempt;
    union { /* need not be cleared */
        struct aiox_file_request file;
        struct aiox_pool_job job;
    } at;
};

/* Who serves an export. */
struct export_engine {
    const char *name; /* as of aiox_file_engine_name(), or "memory" */
    char why[256];    /* begins with the name */
};

/* Requests by who served them. */
struct export_served {
    uint64_t ring;
    uint64_t linux_aio;
    uint64_t at_once; /* the page cache had it */
    uint64_t pool;
};

/* What a kind of export does. [home] each */
struct export_ops {
    void (*read)(struct nbd_export *e, struct export_io *io);
    void (*write)(struct nbd_export *e, struct export_io *io);
    /* Done when all writes that were done before the call are on stable storage. */
    void (*flush)(struct nbd_export *e, struct export_io *io);
    /* Afterwards the range reads as zeroes. */
    void (*zero)(struct nbd_export *e, struct export_io *io);
    /* Nobody needs what is in the range: a hint, which never fails for being of no use. */
    void (*trim)(struct nbd_export *e, struct export_io *io);
    /* It will be read soon: another hint. */
    void (*cache)(struct nbd_export *e, struct export_io *io);
    /* Says what the range, which is not empty, is made of: all of it, or a first part. */
    void (*map)(struct nbd_export *e, struct export_io *io);
    /* Who serves reads now, and why no better one. */
    void (*explain)(struct nbd_export *e, struct export_engine *out);
    /* Adds up who has served requests; NULL: no file has to do with it. */
    void (*served)(const struct nbd_export *e, struct export_served *to);
    /* Gives everything back; nothing is under way any more. */
    void (*close)(struct nbd_export *e);
};

struct nbd_export {
    const struct export_ops *ops;
    struct nbd_export *next; /* in its list */
    char *name;              /* may be empty; not for people, see text_quote() */
    size_t name_bytes;
    char *source;      /* what was opened, for people */
    char *description; /* for people at the other end; NULL: none */
    uint64_t size_bytes;
    uint32_t preferred_bytes; /* requests of this, aligned, are the quickest; a power of two */
    uint32_t min_mask; /* offsets and lengths have none of these bits: the minimum block, less 1 */
    bool read_only;
    uint64_t file[2]; /* device and inode of the file; zeroes: there is none */

    /* Of whoever serves it. */
    struct transmission_stats left;  /* what clients that have left did */
    struct traffic_latency latency;  /* of all that it was asked */
    struct nbd_export *retired_next; /* it was taken out of its list ... */
    uint64_t retired_before;         /* ... when no client had this number yet */
};

/* In the order in which they were named. Zeroed: empty. */
struct export_list {
    struct nbd_export *first;
    struct nbd_export *by_default; /* answers to the empty name; or NULL */
};

/* What to open, as the user said it. */
struct export_spec {
    const char *name;
    const char *source; /* a path, or "memory:SIZE" */
    bool read_only;
    const char *description; /* NULL: none */
    bool cow;                /* what is written goes elsewhere, and is gone at the end */
    bool direct;             /* past the page cache */
    uint64_t cow_bytes;      /* no more than this of it, but for what is under way; 0: no bound */
    /* The same thing, open already for another thread; or NULL. */
    const struct nbd_export *sibling;
};

/* Whether an export opened by @a would be the same if it were opened by @b. [any] */
static inline bool export_spec_is_same(const struct export_spec *a, const struct export_spec *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->source, b->source) == 0 &&
           a->read_only == b->read_only && a->cow == b->cow && a->cow_bytes == b->cow_bytes &&
           a->direct == b->direct &&
           strcmp(a->description ? a->description : "", b->description ? b->description : "") == 0;
}

/*
 * Opens what @spec names and adds it to @list. Errors are those of open(2),
 * and
 *   -EEXIST   the list has an export of that name
 *   -EINVAL   no file or block device, or not a size, or O_DIRECT does not do
 *   -ESTALE   it is not the file that the sibling has open
 *   -ENOMEM   no memory
 * with words in @err. @ctx must outlive the list; an export belongs to its
 * thread. Several threads have one each, siblings: the same bytes. [home], or
 * [init]
 */
AIOX_NODISCARD int export_list_open(struct export_list *list, struct aiox_context *ctx,
                                    const struct export_spec *spec, struct aiox_error *err);

/* Chooses the default: the one with the empty name, else the only one. [init] */
void export_list_choose_default(struct export_list *list);

/* The export of that name, or NULL. The name may be any bytes. [home] */
struct nbd_export *export_list_find(const struct export_list *list, const void *name, size_t bytes);

/* Closes all of them; none has a request under way. [home] */
void export_list_close(struct export_list *list);

/* The transmission flags that @e is offered with. [any] */
uint16_t export_flags(const struct nbd_export *e);

/* Two kinds, export_cow.h has the third: *@out has ops, size_bytes and its own fields, the rest is
 * zero. */
AIOX_NODISCARD int export_file_open(struct nbd_export **out, struct aiox_context *ctx,
                                    const struct export_spec *spec, struct aiox_error *err);
/* The memory is @sibling's unless that is NULL. */
AIOX_NODISCARD int export_memory_open(struct nbd_export **out, uint64_t size_bytes,
                                      const struct nbd_export *sibling, struct aiox_error *err);

AIOX_END_DECLS

#endif /* AIOX_NBD_EXPORT_H_ */
