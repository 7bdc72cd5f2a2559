/* SPDX-License-Identifier: MIT */
/*
 * place.h - where the code of this process lies in the file system.
 */
#ifndef AIOX_AIO_SRC_PLACE_H_
#define AIOX_AIO_SRC_PLACE_H_

#include <limits.h>
#include <stdbool.h>

/*
 * Writes the resolved directory of the file that holds this library (the
 * program, if it is linked in) into @out[PATH_MAX]. False: not known.
 */
bool place_of_library_(char *out);

/* True if the resolved directory @dir is above the program, this library or the C library. */
bool place_is_above_code_(const char *dir);

#endif /* AIOX_AIO_SRC_PLACE_H_ */
