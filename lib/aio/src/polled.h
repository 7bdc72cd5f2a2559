/* SPDX-License-Identifier: MIT */
/*
 * polled.h - the handlers whose poll callbacks are looked at. All of this is for
 * the home thread, in a visit.
 */
#ifndef AIOX_AIO_SRC_POLLED_H_
#define AIOX_AIO_SRC_POLLED_H_

#include <stdbool.h>
#include <stdint.h>

#include "handlers.h"

/* For busy_time.last_paid_ns: since the clock was last read. */
#define POLLED_JUST_NOW INT64_MAX

/* Tells the other side of @h, unless it knows, that it need not notify. */
void polled_begin_(struct handler *h);

/* Tells the other sides of all that they must. */
void polled_end_(struct handlers *hs);

/* Puts those that say so on @ready; true if there are any. */
bool polled_look_(struct handlers *hs, struct aiox_list *ready);

/* True if one would say so. Nobody is called for it now. */
bool polled_have_news_(struct handlers *hs);

/*
 * The same as polled_look_() when external handlers are on again: their other
 * sides may have seen no need to notify.
 */
bool polled_look_again_(struct handlers *hs, struct aiox_list *ready);

/* Those that were replaced leave their places to their heirs, those that were stopped just leave.
 */
void polled_bury_(struct handlers *hs);

/*
 * Those that did not pay for long are watched by the backend alone, if looking
 * sees that; they are looked at a last time. True if one said that it is ready.
 */
bool polled_drop_idle_(struct handlers *hs, int64_t now_ns, struct aiox_list *ready);

#endif /* AIOX_AIO_SRC_POLLED_H_ */
