/* SPDX-License-Identifier: MIT */
/* trace.h - prints trace points; aiox-aiox has none of its own. */
#ifndef AIOX_AIOX_SRC_TRACE_H_
#define AIOX_AIOX_SRC_TRACE_H_

/*
 * Prints the points of @rooms ("all", or names with commas; cut after 200
 * bytes) to stderr from now on. Only the first call does, and it gives way to
 * a hook that is there. [any]
 */
void trace_print_(const char *wish);

#endif /* AIOX_AIOX_SRC_TRACE_H_ */
