/* SPDX-License-Identifier: MIT */
/* aiox.h - what the contenders of ours share, each in a file of its own. */
#ifndef AIOX_BENCH_PLAYERS_CONTENDERS_AIOX_H_
#define AIOX_BENCH_PLAYERS_CONTENDERS_AIOX_H_

#include "bench/players/bench.h"

struct aiox_context;

/* A context on the backend that is @who's variant, or NULL and @why. */
struct aiox_context *ours_open(const struct contender *who, const char **why);
void ours_close(struct aiox_context *ctx);

/* Looks before it sleeps, as an aiox_thread does unless told otherwise. */
void ours_have_thread(void *ctx);

/* By coroutines; see struct loop_ops. */
void ours_serve(void *loop, int fd, void *buffer, size_t bytes, long *serving);
void ours_pass(void *loop, long count, long times);
void ours_converse(void *loop, const int fd[2], long messages, size_t bytes);

extern const struct pool_ops ours_pool;
extern const struct file_ops ours_file;

#endif /* AIOX_BENCH_PLAYERS_CONTENDERS_AIOX_H_ */
