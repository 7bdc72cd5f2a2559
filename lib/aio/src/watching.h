/* SPDX-License-Identifier: MIT */
/* watching.h - what the backend is told of one handler. All of it under the handlers' lock. */
#ifndef AIOX_AIO_SRC_WATCHING_H_
#define AIOX_AIO_SRC_WATCHING_H_

#include "aiox/attributes.h"

#include "handlers.h"

/* What a file that is always ready is ready for. */
uint32_t watching_always_ready_for_(const struct handler *h);

/* Notes what is done for @h. */
void watching_set_(struct handlers *hs, struct handler *h, enum watched watched);

/* Asks @b, which was last asked for @told, to watch for @h; *@watched says what it does. 0 or a
 * negative errno. */
AIOX_NODISCARD int watching_ask_(struct backend *b, const struct handler *h, uint32_t told,
                                 enum watched *watched);

/* What the backend was last asked for the descriptor of @h, which may be NULL. */
uint32_t watching_told_(const struct handler *h);

/* The backend is to forget @h. */
void watching_stop_(struct handlers *hs, const struct handler *h);

/* The backend forgets @h, which is live, for as long as external handlers are off. */
void watching_withhold_(struct handlers *hs, struct handler *h);

#endif /* AIOX_AIO_SRC_WATCHING_H_ */
