/* SPDX-License-Identifier: MIT */
/* lend.h - a context whose home changes from turn to turn. */
#ifndef AIOX_AIO_SRC_LEND_H_
#define AIOX_AIO_SRC_LEND_H_

#include "aiox/aio.h"
#include "aiox/attributes.h"

/* Between two turns of a plain context: whoever waits becomes the home. [home] */
AIOX_COLD void lend_to_who_waits_(struct aiox_context *ctx);

#endif /* AIOX_AIO_SRC_LEND_H_ */
