/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-channel-tls.
 *
 *   channel_tls shake     a = the channel, b = 1 to read, 2 to write; a handshake waits for it
 *   channel_tls shaken    a = the channel, b = 0 or -errno; the handshake is over
 *   channel_tls unsent    a = the channel, b = how many bytes; a record is kept until it goes
 *   channel_tls farewell  a = the channel, b = 0 or -errno; ours was said, or cannot be
 *   channel_tls broken    a = the channel, b = -errno; a read or a write has failed
 */
#ifndef AIOX_CHANNEL_TLS_SRC_TRACE_H_
#define AIOX_CHANNEL_TLS_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_CHANNEL_TLS_SRC_TRACE_H_ */
