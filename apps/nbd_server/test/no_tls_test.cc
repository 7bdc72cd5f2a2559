/* SPDX-License-Identifier: MIT */
/* no_tls_test.cc - the server as it is built where there is no GnuTLS. */
#include <cerrno>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "apps/nbd_server/options.h"

namespace
{

/* What options_parse() says to @words. */
std::string Complaint(std::vector<std::string> words)
{
    std::vector<char *> argv;
    std::string said;
    options o = {};
    aiox_error err = {};

    words.insert(words.begin(), "aiox-nbd");
    for (std::string &word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    int error = options_parse(&o, static_cast<int>(words.size()), argv.data(), &err);
    if (error < 0) {
        EXPECT_EQ(error, -EINVAL);
        said = err.message;
    }
    options_fini(&o);
    return said;
}

TEST(NoTls, WhoAsksForItIsToldInOneLine)
{
    ASSERT_FALSE(tls_is_built);

    EXPECT_EQ(Complaint({"--tls=require", "disk"}), "--tls: this aiox-nbd is built without TLS");
    EXPECT_EQ(Complaint({"--tls=allow", "disk"}), "--tls: this aiox-nbd is built without TLS");
    EXPECT_EQ(Complaint({"--tls-certs", "dir", "disk"}),
              "--tls-certs: this aiox-nbd is built without TLS");
    EXPECT_EQ(Complaint({"--tls-psk", "file", "disk"}),
              "--tls-psk: this aiox-nbd is built without TLS");
}

TEST(NoTls, OffIsWhatItIs)
{
    EXPECT_EQ(Complaint({"--tls=off", "disk"}), "");
    EXPECT_EQ(Complaint({"disk"}), "");
}

TEST(NoTls, NoKeysAreEverOpened)
{
    tls_keys *keys = nullptr;
    aiox_error err = {};

    EXPECT_EQ(tls_keys_open(&keys, "dir", nullptr, &err), -EOPNOTSUPP);
    EXPECT_EQ(keys, nullptr);
}

} // namespace
