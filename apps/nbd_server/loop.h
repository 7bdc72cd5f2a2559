/* SPDX-License-Identifier: MIT */
/*
 * loop.h - which backend the loops are on.
 */
#ifndef AIOX_NBD_LOOP_H_
#define AIOX_NBD_LOOP_H_

#include "aiox/aiox.h"
#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/*
 * What to ask aiox_new_with() for: the backend that @fdmon specifies, whatever
 * the environment says of that; NULL: no wish. Where plugins are is said by the
 * environment in any case. Strings are @fdmon and the environment's. [any]
 */
void loop_wish(struct aiox_preferences *out, const char *fdmon);

AIOX_END_DECLS

#endif /* AIOX_NBD_LOOP_H_ */
