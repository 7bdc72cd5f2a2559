/* SPDX-License-Identifier: MIT */
/*
 * export_cow.h - an export over two others: what is written goes to the upper one,
 * the lower one is never changed.
 */
#ifndef AIOX_NBD_EXPORT_COW_H_
#define AIOX_NBD_EXPORT_COW_H_

#include <stdint.h>

#include "aiox/attributes.h"

#include "export.h"

AIOX_BEGIN_DECLS

/* The layers, which become the export's own on success. They have the same size. */
struct cow_layers {
    struct nbd_export *below;
    struct nbd_export *overlay; /* reads as zeroes at first, or does not matter */
    uint64_t bytes_max;         /* 0: no bound */
    /* One over siblings of these, in another thread, which has the same bytes; or NULL. */
    const struct nbd_export *sibling;
};

/*
 * Makes an export of them. Writes that would make more than bytes_max of the overlay are
 * refused with -ENOSPC. 0 or -ENOMEM. [home], or [init]
 */
AIOX_NODISCARD int export_cow_over(struct nbd_export **out, struct aiox_context *ctx,
                                   const struct cow_layers *layers);

/* The layers of one that was made so; they stay its own. [any] */
struct cow_layers export_cow_layers(const struct nbd_export *e);

AIOX_END_DECLS

#endif /* AIOX_NBD_EXPORT_COW_H_ */
