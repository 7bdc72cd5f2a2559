/* SPDX-License-Identifier: MIT */
/*
 * session_fuzzer.cc - session.h for libFuzzer; see README.md for the command.
 */
#include <cstddef>
#include <cstdint>
#include <string>

#include "apps/nbd_server/fuzz/session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nbd_fuzz::Session(std::string(reinterpret_cast<const char *>(data), size));
    return 0;
}
