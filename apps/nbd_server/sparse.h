/* SPDX-License-Identifier: MIT */
/*
 * sparse.h - a read that asks first where the holes are: they are neither read
 * nor sent.
 */
#ifndef AIOX_NBD_SPARSE_H_
#define AIOX_NBD_SPARSE_H_

#include <stdbool.h>

#include "aiox/attributes.h"

#include "request.h"

AIOX_BEGIN_DECLS

/* True if @r is a long read whose client takes holes for an answer. [any] */
bool sparse_is_worth_it(const struct request *r);

/*
 * Reads what is data. @r->ended is called with the end of it; then
 * @r->stretches are what the range is made of, or it was read as one piece. On
 * an error @r->io.offset says where. [home]
 */
void sparse_start(struct request *r, struct nbd_export *e);

AIOX_END_DECLS

#endif /* AIOX_NBD_SPARSE_H_ */
