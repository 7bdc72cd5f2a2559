/* SPDX-License-Identifier: MIT */
/*
 * reference.h - what a server has to answer, worked out a second time.
 */
#ifndef AIOX_NBD_FUZZ_REFERENCE_H_
#define AIOX_NBD_FUZZ_REFERENCE_H_

#include <cstdint>
#include <string>

#include "apps/nbd_server/dialect.h"
#include "apps/nbd_server/transmission.h"

namespace nbd_fuzz
{

/* Of the exports, which are memory, empty at first. */
constexpr uint64_t kDisk = 64 << 10;
constexpr transmission_limits kLimits = {48 << 10, 4, 64 << 10};

/* The big-endian number of @bytes bytes at @at. */
uint64_t Number(const std::string &s, size_t at, size_t bytes);

/* The replies to all of @in, the transmission phase of a client. Their errors have no words. */
std::string Expected(const std::string &in, const dialect &how, bool read_only);

/* @sent, which is well framed, without the words of its errors. */
std::string Wordless(const std::string &sent, const dialect &how);

} // namespace nbd_fuzz

#endif /* AIOX_NBD_FUZZ_REFERENCE_H_ */
