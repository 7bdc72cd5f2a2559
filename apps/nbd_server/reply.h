/* SPDX-License-Identifier: MIT */
/*
 * reply.h - what is sent for a request that has ended.
 *
 * A reply is made of pieces of memory that are there already: the head of the
 * request, its payload, the heads of its stretches. Nothing is copied.
 */
#ifndef AIOX_NBD_REPLY_H_
#define AIOX_NBD_REPLY_H_

#include <stdint.h>
#include <sys/uio.h>

#include "aiox/attributes.h"

#include "request.h"

AIOX_BEGIN_DECLS

/* Writes the reply in the dialect of @r: @error (negative errno), or success. [home] */
void reply_conclude(struct request *r, int error);

/* The pieces of it but for the first @skip bytes; returns how many of @iov it filled. [home] */
int reply_output(struct request *r, uint64_t skip, struct iovec *iov, int max);

AIOX_END_DECLS

#endif /* AIOX_NBD_REPLY_H_ */
