/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-channel.
 *
 *   channel wait       a = the descriptor, b = the events, 0 for its time alone; before it waits
 *   channel woken      a = the descriptor, b = the events seen, or -errno; after it waited
 *   channel wake       a = the descriptor, b = 1 to read, 2 to write; another ends the wait
 *   channel watch      a = the descriptor, b = the events; the loop is asked to report them
 *   channel skip       a = the descriptor, b = how many tries were in vain; a read waits untried
 *   channel lookup     a = 1 if by a thread, b = how many addresses, or -errno; of a name
 *   channel connect    a = the family of an address, b = 0 or -errno; it was tried
 *   channel listen     a = the family of an address, b = 0 or -errno; it was tried
 *   channel accept     a = the listener's descriptor, b = the new one, or -errno; somebody has come
 *   channel adopt      a = the descriptor, b = its kind, a name; it is a channel's from now on
 *   channel child      a = its process id, b = its pidfd; it has been started
 *   channel child_end  a = its process id, b = its status, as of waitpid(2); it was taken
 *   channel shutdown   a = the channel, b = 0 reading, 1 writing, 2 both; before it is done
 *   channel close      a = the channel, b = 1 if others are inside; it is closed from now on
 */
#ifndef AIOX_CHANNEL_SRC_TRACE_H_
#define AIOX_CHANNEL_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_CHANNEL_SRC_TRACE_H_ */
