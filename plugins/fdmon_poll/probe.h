/* SPDX-License-Identifier: MIT */
/* probe.h - does poll(2) work here? */
#ifndef AIOX_FDMON_POLL_PROBE_H_
#define AIOX_FDMON_POLL_PROBE_H_

#include "aiox/fdmon.h"

/* As aiox_fdmon_plugin.probe. */
int poll_probe_(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out);

#endif /* AIOX_FDMON_POLL_PROBE_H_ */
