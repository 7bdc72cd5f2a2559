/* SPDX-License-Identifier: MIT */
/*
 * cow_overlay.h - a temporary file that has no name, or soon none.
 */
#ifndef AIOX_NBD_COW_OVERLAY_H_
#define AIOX_NBD_COW_OVERLAY_H_

#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

#include "export.h"

AIOX_BEGIN_DECLS

/*
 * Makes an export of a file of @size_bytes that is one hole, in $TMPDIR, else
 * /var/tmp; or of the file that @sibling, made so for another thread, has if that
 * is not NULL. It goes when the last export is closed. Errors are those of open(2) and
 * ftruncate(2), with words in @err. [home], or [init]
 */
AIOX_NODISCARD int cow_overlay_open(struct nbd_export **out, struct aiox_context *ctx,
                                    uint64_t size_bytes, const struct nbd_export *sibling,
                                    struct aiox_error *err);

AIOX_END_DECLS

#endif /* AIOX_NBD_COW_OVERLAY_H_ */
