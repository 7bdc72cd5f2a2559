/* SPDX-License-Identifier: MIT */
/*
 * session.h - one whole life of a client from a string of bytes, watched.
 */
#ifndef AIOX_NBD_FUZZ_SESSION_H_
#define AIOX_NBD_FUZZ_SESSION_H_

#include <string>
#include <vector>

namespace nbd_fuzz
{

/*
 * The first byte says how the rest arrives: its low four bits the size of the
 * pieces, bit 4 whether replies leave in small pieces too, bit 5 whether the
 * handshake is left out, and then bits 6 and 7 in which dialect it goes on. Aborts when the
 * server's answer is not that of the reference in session.cc, or a limit is broken.
 */
void Session(const std::string &input);

/* Valid sessions and the known bad ones. */
std::vector<std::string> Seeds();

} // namespace nbd_fuzz

#endif /* AIOX_NBD_FUZZ_SESSION_H_ */
