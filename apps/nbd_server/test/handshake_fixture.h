/* SPDX-License-Identifier: MIT */
/*
 * handshake_fixture.h - a client of the handshake that sends what the test says
 * and takes every answer.
 */
#ifndef AIOX_NBD_TEST_HANDSHAKE_FIXTURE_H_
#define AIOX_NBD_TEST_HANDSHAKE_FIXTURE_H_

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "apps/nbd_server/handshake.h"

#include "golden.h"

namespace nbd_test
{

/* flush, FUA, trim, zero, multi-conn, cache, fast zero */
constexpr uint16_t kFlags = 0xd6d;
/* read-only, flush, FUA, multi-conn, cache */
constexpr uint16_t kReadOnlyFlags = 0x50f;
constexpr size_t kInBytes = 32 << 10;

/* What a client that sent something got for it. */
struct Outcome {
    handshake_verdict verdict;
    std::string sent; /* behind the greeting */
    std::string words;
    std::string rest; /* left for the transmission */
    const nbd_export *chosen;
    dialect agreed;
};

class HandshakeTest : public ::testing::Test
{
  protected:
    ~HandshakeTest() override
    {
        export_list_close(&exports_);
    }

    nbd_export *Add(const std::string &name, const char *source, bool read_only = false,
                    const char *description = nullptr)
    {
        export_spec spec = {};

        spec.name = name.c_str();
        spec.source = source;
        spec.read_only = read_only;
        spec.description = description;

        EXPECT_EQ(export_list_open(&exports_, nullptr, &spec, nullptr), 0);
        export_list_choose_default(&exports_);
        return export_list_find(&exports_, name.data(), name.size());
    }

    /* Sends @input in pieces of @piece bytes, taking everything that comes back. */
    Outcome Send(std::string input, size_t piece = SIZE_MAX)
    {
        std::vector<uint8_t> in_memory(kInBytes), out_memory(HANDSHAKE_OUT_BYTES);
        bytes in = {in_memory.data(), in_memory.size(), 0, 0};
        bytes out = {out_memory.data(), out_memory.size(), 0, 0};
        Outcome o = {};
        size_t at = 0;
        handshake h;

        handshake_start(&h, &exports_, 32 << 20, &out);
        h.tls = tls_;
        for (;;) {
            o.verdict = handshake_step(&h, &in, &out);
            o.sent.append(reinterpret_cast<const char *>(bytes_front(&out)), bytes_held(&out));
            bytes_take(&out, bytes_held(&out));
            if (o.verdict == HANDSHAKE_REMARK) {
                o.words += h.words;
            } else if (o.verdict == HANDSHAKE_TLS) {
                EXPECT_EQ(bytes_held(&in), 0u);
                EXPECT_EQ(at, input.size());
                input = encrypted_;
                at = 0;
            } else if (o.verdict == HANDSHAKE_HUNGRY && at < input.size()) {
                size_t n = std::min({piece, input.size() - at, bytes_room(&in)});

                EXPECT_GT(n, 0u);
                memcpy(bytes_back(&in), input.data() + at, n);
                bytes_put(&in, n);
                at += n;
            } else if (o.verdict != HANDSHAKE_FULL) {
                break;
            }
        }
        if (o.verdict == HANDSHAKE_BROKEN) {
            o.words += h.words;
        }
        EXPECT_EQ(o.sent.substr(0, 18), golden::Greeting());
        o.sent.erase(0, 18);
        o.rest.assign(reinterpret_cast<const char *>(bytes_front(&in)), bytes_held(&in));
        o.rest += input.substr(at);
        o.chosen = h.chosen;
        o.agreed = h.dialect;
        return o;
    }

    static std::string ExportInfo(uint64_t size, uint16_t flags)
    {
        return golden::Bytes().U16(0).U64(size).U16(flags);
    }

    export_list exports_ = {};
    handshake_tls tls_ = HANDSHAKE_TLS_OFF;
    std::string encrypted_; /* what it sends when TLS has begun */
};

} // namespace nbd_test

#endif /* AIOX_NBD_TEST_HANDSHAKE_FIXTURE_H_ */
