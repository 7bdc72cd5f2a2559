/* SPDX-License-Identifier: MIT */
/*
 * aiox/fd_event.h - what can happen to a file descriptor.
 *
 * The words that users of a loop, the loop and its backends share. They mean
 * what poll(2) says of the flag in brackets, whatever the backend.
 */
#ifndef AIOX_FD_EVENT_H_
#define AIOX_FD_EVENT_H_

enum aiox_fd_event {
    AIOX_FD_READ = 1u << 0,   /* a read does not block: data, a connection, end of file (POLLIN) */
    AIOX_FD_WRITE = 1u << 1,  /* a write does not block (POLLOUT) */
    AIOX_FD_PRI = 1u << 2,    /* something exceptional, such as TCP urgent data (POLLPRI) */
    AIOX_FD_HANGUP = 1u << 3, /* the peer is gone; reported without being asked for (POLLHUP) */
    AIOX_FD_ERROR = 1u << 4,  /* reported without being asked for (POLLERR, POLLNVAL) */
};

/* What can be asked for, and what can be reported. */
#define AIOX_FD_ASKABLE (AIOX_FD_READ | AIOX_FD_WRITE | AIOX_FD_PRI)
#define AIOX_FD_ALL (AIOX_FD_ASKABLE | AIOX_FD_HANGUP | AIOX_FD_ERROR)

#endif /* AIOX_FD_EVENT_H_ */
