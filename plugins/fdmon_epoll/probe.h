/* SPDX-License-Identifier: MIT */
/*
 * probe.h - does epoll work here and now?
 */
#ifndef AIOX_FDMON_EPOLL_PROBE_H_
#define AIOX_FDMON_EPOLL_PROBE_H_

#include "aiox/fdmon.h"

/* As aiox_fdmon_plugin.probe. [any] */
int epoll_probe_(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out);

#endif /* AIOX_FDMON_EPOLL_PROBE_H_ */
