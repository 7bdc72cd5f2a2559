/* SPDX-License-Identifier: MIT */
/*
 * trust.h - who may have written a file, judged by all directories above it.
 */
#ifndef AIOX_AIO_SRC_TRUST_H_
#define AIOX_AIO_SRC_TRUST_H_

#include "aiox/attributes.h"
#include "aiox/backend.h"

enum trust_origin {
    TRUST_SYSTEM, /* named when this library was built */
    TRUST_NAMED,  /* named by the user, or found beside the program */
};

/*
 * Looks at @path, a regular file or a directory, resolved by realpath(3), and
 * at each directory above it. 0, or a negative errno with the reason in @r.
 */
AIOX_NODISCARD int trust_check_(const char *path, enum trust_origin origin,
                                struct aiox_backend_report *r);

#endif /* AIOX_AIO_SRC_TRUST_H_ */
