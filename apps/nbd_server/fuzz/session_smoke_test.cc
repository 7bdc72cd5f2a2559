/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/fuzz/session.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace
{

constexpr int kMutations = 100000;

/* One small damage of a kind that parsers are known to trip over. */
void Damage(std::string *s, std::mt19937 *random)
{
    static const char kLengths[][9] = {"\0\0\0\0", "\0\0\0\1", "\x7f\xff\xff\xff", "\x80\0\0\0",
                                       "\xff\xff\xff\xff"};
    size_t at = s->empty() ? 0 : (*random)() % s->size();

    if (s->empty()) {
        return;
    }
    switch ((*random)() % 6) {
    case 0:
        (*s)[at] = static_cast<char>((*random)());
        break;
    case 1:
        (*s)[at] = static_cast<char>((*s)[at] ^ 1 << (*random)() % 8);
        break;
    case 2:
        s->erase(at, 1 + (*random)() % 40);
        break;
    case 3:
        s->insert(at, s->substr((*random)() % s->size(), (*random)() % 60));
        break;
    case 4:
        s->replace(at, std::min<size_t>(4, s->size() - at), kLengths[(*random)() % 5], 4);
        break;
    default:
        s->resize(at + 1);
    }
}

TEST(SessionSmoke, KnownSessionsAreAnsweredAsTheReferenceDoes)
{
    for (const std::string &seed : nbd_fuzz::Seeds()) {
        for (int how = 0; how < 64; how++) {
            std::string s = seed;

            s[0] = static_cast<char>((how & 31) | (s[0] & ~31));
            nbd_fuzz::Session(s);
        }
    }
}

TEST(SessionSmoke, KnownSessionsMayBeCutAnywhere)
{
    for (const std::string &seed : nbd_fuzz::Seeds()) {
        for (size_t n = 0; n <= seed.size(); n++) {
            nbd_fuzz::Session(seed.substr(0, n));
        }
    }
}

TEST(SessionSmoke, ManyDamagedSessionsAreAnsweredAsTheReferenceDoes)
{
    std::vector<std::string> seeds = nbd_fuzz::Seeds();
    std::mt19937 random(20261121);

    for (int i = 0; i < kMutations; i++) {
        std::string s = seeds[random() % seeds.size()];

        for (size_t n = 1 + random() % 3; n > 0; n--) {
            Damage(&s, &random);
        }
        nbd_fuzz::Session(s);
    }
}

} // namespace
