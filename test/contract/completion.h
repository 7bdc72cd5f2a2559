/* SPDX-License-Identifier: MIT */
/*
 * completion.h - what the tests of "aiox.completion/1" are written in.
 */
#ifndef AIOX_TEST_CONTRACT_COMPLETION_H_
#define AIOX_TEST_CONTRACT_COMPLETION_H_

#include "fdmon_contract.h"

#include <functional>
#include <linux/io_uring.h>

namespace contract
{

class CompletionContract : public FdmonContract
{
};

using Results = std::map<uint64_t, std::vector<int32_t>>;
using Prepare = std::function<void(io_uring_sqe *)>;

int Submit(Monitor &mon, uint64_t token, Prepare prepare);
void Nop(io_uring_sqe *sqe);
Prepare Transfer(unsigned opcode, int fd, void *buffer, unsigned bytes, uint64_t offset);
Prepare InAThread(Prepare prepare);
/* Collects until @count requests have ended. */
Results AwaitResults(Monitor &mon, size_t count);
Fd TemporaryFile(const std::string &content);

} // namespace contract

#endif /* AIOX_TEST_CONTRACT_COMPLETION_H_ */
