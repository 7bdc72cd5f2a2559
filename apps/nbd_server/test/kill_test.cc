/* SPDX-License-Identifier: MIT */
/*
 * kill_test.cc - the server is killed in the middle of its work, again and again,
 * at points that a seed chooses; what was answered is then in the file.
 *
 * A kill does not empty the kernel's cache, so this shows that no answer comes
 * before its write. That syncs reach the medium is shown by power_cut_test.
 */
#include <signal.h>

#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.h"
#include "server_process.h"

namespace
{

using golden::Flush;
using golden::Write;
using nbd_test::Directory;
using nbd_test::Peer;
using nbd_test::Server;

constexpr int kRounds = 25, kClients = 3, kRequests = 400;
constexpr size_t kBlock = 4096;

class KillTest : public ::testing::Test
{
  protected:
    /* Blocks of one client in one round, each written once. */
    static size_t FirstBlock(int client)
    {
        return static_cast<size_t>(client) * kRequests;
    }
    std::string Pattern(int client, int request) const
    {
        return std::string(kBlock,
                           static_cast<char>(1 + (round_ * 7 + client * 3 + request) % 250));
    }
    std::string FileBlock(size_t block) const
    {
        std::string content(kBlock, '\0');
        std::ifstream file(file_, std::ios::binary);

        file.seekg(static_cast<std::streamoff>(block * kBlock));
        file.read(content.data(), kBlock);
        return content;
    }
    /* Requests of @client: writes, a third of them with FUA, and some flushes. */
    std::string Requests(int client)
    {
        std::string all;

        for (int i = 0; i < kRequests; i++) {
            if (random_() % 10 == 0) {
                all += Flush(static_cast<uint64_t>(kRequests + i));
            }
            all += Write(static_cast<uint64_t>(i), (FirstBlock(client) + i) * kBlock,
                         Pattern(client, i), random_() % 3 == 0);
        }
        return all;
    }

    std::mt19937 random_{20261121};
    int round_ = 0;
    Directory directory_;
    std::string socket_ = directory_.Path("socket");
    std::string file_ = directory_.File("disk", kClients *kRequests *kBlock);
};

/* The number in a reply that is whole, or -1. */
int CookieOf(const std::string &reply)
{
    if (reply.size() != 16 || reply.substr(4, 4) != std::string(4, '\0')) {
        return -1;
    }
    return static_cast<uint8_t>(reply[14]) << 8 | static_cast<uint8_t>(reply[15]);
}

TEST_F(KillTest, WhatWasAnsweredBeforeAKillIsInTheFile)
{
    size_t answered = 0;

    for (round_ = 0; round_ < kRounds; round_++) {
        Server server({"--unix", socket_, "--threads", "2", file_});
        std::vector<std::unique_ptr<Peer>> peers;
        std::vector<std::vector<int>> done(kClients);

        ASSERT_NE(server.WaitForUri(), "") << server.Log();
        for (int client = 0; client < kClients; client++) {
            peers.push_back(std::make_unique<Peer>(socket_));
            ASSERT_TRUE(peers[client]->Enter());
            peers[client]->SendWithoutWaiting(Requests(client));
        }
        /* As many answers as the seed says, then the end; and what was on its way by then. */
        for (unsigned n = random_() % 30; n > 0; n--) {
            int client = static_cast<int>(random_() % kClients);

            done[client].push_back(CookieOf(peers[client]->Receive(16)));
        }
        server.Signal(SIGKILL);
        EXPECT_EQ(server.Wait(), 1000 + SIGKILL);
        for (int client = 0; client < kClients; client++) {
            std::string rest = peers[client]->ReceiveAll();

            for (size_t at = 0; at + 16 <= rest.size(); at += 16) {
                done[client].push_back(CookieOf(rest.substr(at, 16)));
            }
            for (int cookie : done[client]) {
                ASSERT_GE(cookie, 0);
                if (cookie < kRequests) {
                    EXPECT_EQ(FileBlock(FirstBlock(client) + cookie), Pattern(client, cookie))
                        << "round " << round_ << ", client " << client << ", " << cookie;
                    answered++;
                }
            }
        }
    }
    EXPECT_GT(answered, 500u);
}

} // namespace
