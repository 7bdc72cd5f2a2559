/* SPDX-License-Identifier: MIT */
/*
 * listener_inside.h - what the files of listeners share.
 */
#ifndef AIOX_NBD_LISTENER_INSIDE_H_
#define AIOX_NBD_LISTENER_INSIDE_H_

#include <sys/socket.h>

#include "listener.h"

enum { LISTENER_BACKLOG = 4096 };

/* "host:port" of a socket address; a v6 host in brackets; a path; "cid:port". [any] */
void listener_name_(const struct sockaddr *address, socklen_t bytes, char out[LISTENER_ADDRESS]);

#endif /* AIOX_NBD_LISTENER_INSIDE_H_ */
