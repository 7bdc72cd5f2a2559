/* SPDX-License-Identifier: MIT */
/*
 * tls_test.cc - encryption with the clients that people have, and with one that
 * shows what they do not. What bad clients try: tls_attack_test.cc.
 */
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.h"
#include "server_process.h"
#include "tls_peer.h"

namespace
{

using golden::Disc;
using golden::Flush;
using golden::Read;
using golden::Reply;
using golden::Write;
using nbd_test::Directory;
using nbd_test::Peer;
using nbd_test::Pki;
using nbd_test::Program;
using nbd_test::Server;
using nbd_test::TlsPeer;
using nbd_test::TlsWish;

constexpr uint64_t kSize = 16 << 20;

class TlsTest : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        if (!Pki::IsPossible()) {
            GTEST_SKIP() << "not installed: certtool, psktool";
        }
        pki_ = std::make_unique<Pki>("us");
    }
    /* On a unix socket, or at @place. */
    void Start(std::vector<std::string> more, std::vector<std::string> place = {})
    {
        std::vector<std::string> all = {"-v"};

        if (place.empty()) {
            place = {"--unix", socket_};
        }
        all.insert(all.end(), place.begin(), place.end());
        all.insert(all.end(), more.begin(), more.end());
        all.push_back(file_);
        server_ = std::make_unique<Server>(all);
        uri_ = server_->WaitForUri();
        ASSERT_NE(uri_, "") << server_->Log();
    }
    std::string Keys() const
    {
        return pki_->Path("keys.psk");
    }
    TlsWish Alice() const
    {
        TlsWish wish;

        wish.user = "alice";
        wish.key_file = Keys();
        return wish;
    }
    /* Runs @command, in which a few variables mean what they say. */
    std::string Run(const std::string &command)
    {
        Program program("uri='" + uri_ + "'; file=" + file_ + "; keys=" + Keys() +
                        "; pki=" + pki_->Path() + "; socket=" + socket_ + "; cd " +
                        directory_.Path("") + "; " + command);

        EXPECT_EQ(program.Wait(), 0) << command << "\n" << program.Output() << server_->Log();
        return program.Output();
    }

    Directory directory_;
    std::unique_ptr<Pki> pki_;
    std::string socket_ = directory_.Path("socket");
    std::string file_ = directory_.File("disk", kSize);
    std::unique_ptr<Server> server_;
    std::string uri_;
};

TEST_F(TlsTest, NbdinfoAndNbdcopyByKeysOverAUnixSocket)
{
    NEEDS("nbdinfo");
    NEEDS("nbdcopy");
    Start({"--tls-psk", Keys()});

    std::string info = Run("tls=\"nbds+unix://alice@/?socket=$socket&tls-psk-file=$keys\";"
                           "nbdinfo \"$tls\" && head -c 16M /dev/urandom >in &&"
                           "nbdcopy --flush in \"$tls\" && nbdcopy \"$tls\" out &&"
                           "cmp in out && cmp in $file");

    EXPECT_EQ(uri_.rfind("nbds+unix:///?socket=", 0), 0u) << uri_;
    EXPECT_NE(info.find("with TLS"), std::string::npos) << info;
    EXPECT_TRUE(server_->WaitForLog("\"alice\"")) << server_->Log();
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, NbdinfoAndNbdcopyByCertificatesOverTcp)
{
    NEEDS("nbdinfo");
    NEEDS("nbdcopy");
    Start({"--tls=require", "--tls-certs", pki_->Path()}, {"--tcp", "127.0.0.1:0"});

    std::string info =
        Run("tls=$(echo \"$uri\" | sed s/127.0.0.1/localhost/)?tls-certificates=${pki}client;"
            "nbdinfo \"$tls\" && head -c 16M /dev/urandom >in &&"
            "nbdcopy --connections=4 --flush in \"$tls\" && nbdcopy \"$tls\" out &&"
            "cmp in out && cmp in $file");

    EXPECT_EQ(uri_.rfind("nbds://127.0.0.1:", 0), 0u) << uri_;
    EXPECT_NE(info.find("with TLS"), std::string::npos) << info;
    EXPECT_TRUE(server_->WaitForLog("CN=client of us")) << server_->Log();
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, QemuImgAndQemuIoByCertificates)
{
    NEEDS("qemu-img");
    NEEDS("qemu-io");
    Start({"--tls-certs", pki_->Path()}, {"--tcp", "127.0.0.1:0"});

    std::string out =
        Run("port=$(echo \"$uri\" | sed 's,.*:\\([0-9]*\\)/.*,\\1,');"
            "creds=\"tls-creds-x509,id=t,dir=${pki}client,endpoint=client\";"
            "image=\"driver=nbd,host=localhost,port=$port,tls-creds=t\";"
            "qemu-img info --object $creds --image-opts $image &&"
            "qemu-io --object $creds --image-opts $image -c 'write -P 7 0 2M' -c flush &&"
            "qemu-io --object $creds --image-opts $image -c 'read -P 7 0 2M' -c 'read -P 0 2M 1M'");

    EXPECT_NE(out.find("16 MiB"), std::string::npos) << out;
    EXPECT_EQ(out.find("verification failed"), std::string::npos) << out;
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, QemuImgByKeys)
{
    NEEDS("qemu-img");
    Start({"--tls-psk", Keys()}, {"--tcp", "127.0.0.1:0"});

    Run("head -c 1M /dev/urandom | dd of=$file conv=notrunc &&"
        "port=$(echo \"$uri\" | sed 's,.*:\\([0-9]*\\)/.*,\\1,');"
        "creds=\"tls-creds-psk,id=t,dir=$pki,username=bob,endpoint=client\";"
        "image=\"driver=nbd,host=localhost,port=$port,tls-creds=t\";"
        "qemu-img convert --object $creds --image-opts $image -O raw out && cmp out $file");

    EXPECT_TRUE(server_->WaitForLog("\"bob\"")) << server_->Log();
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, WhereItIsAllowedBothAreServed)
{
    Start({"--tls=allow", "--tls-psk", Keys()});
    TlsPeer secure(socket_, Alice());
    Peer plain(socket_);

    ASSERT_TRUE(secure.IsSecure() && secure.Enter());
    ASSERT_TRUE(plain.Enter());
    secure.Send(Write(1, 0, "secret") + Disc());
    EXPECT_EQ(secure.ReceiveAll(), Reply(1, 0));
    plain.Send(Read(2, 0, 6) + Disc());

    EXPECT_EQ(plain.ReceiveAll(), Reply(2, 0) + "secret");
    EXPECT_EQ(secure.end(), 0) << "no farewell";
    EXPECT_EQ(uri_.rfind("nbd+unix://", 0), 0u) << uri_;
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, StatisticsSayWhoIsEncryptedAndHowOftenThatFailed)
{
    const std::string stats = directory_.Path("stats");
    Start({"--stats", stats, "--tls=allow", "--tls-psk", Keys()});
    TlsPeer secure(socket_, Alice());
    Peer plain(socket_), asker(stats), other(stats);
    ASSERT_TRUE(secure.IsSecure() && secure.Enter() && plain.Enter());
    Pki others("others");
    TlsWish wrong = Alice();
    wrong.key_file = others.Path("keys.psk");
    TlsPeer stranger(socket_, wrong);
    EXPECT_FALSE(stranger.IsSecure());
    stranger.ReceiveAll();

    asker.Send("prometheus\n");
    std::string text = asker.ReceiveAll();
    other.Send("json\n");
    std::string json = other.ReceiveAll();

    for (const char *line : {"aiox_nbd_tls_clients 1\n", "aiox_nbd_tls_handshakes_total 1\n",
                             "aiox_nbd_tls_handshakes_failed_total 1\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
    EXPECT_NE(json.find("\"tls_handshakes\":1,\"tls_failures\":1,"), std::string::npos) << json;
    EXPECT_NE(json.find("\"export\":\"\",\"tls\":true,"), std::string::npos) << json;
    EXPECT_NE(json.find("\"export\":\"\",\"tls\":false,"), std::string::npos) << json;
}

TEST_F(TlsTest, AKeyOrACertificateWillDoAtOnePlace)
{
    Start({"--tls-certs", pki_->Path(), "--tls-psk", Keys()});
    TlsWish shows;
    shows.dir = pki_->Path();
    shows.show = pki_->Path("client");
    TlsWish nothing;
    nothing.dir = pki_->Path();

    TlsPeer by_key(socket_, Alice()), by_certificate(socket_, shows), by_neither(socket_, nothing);

    EXPECT_TRUE(by_key.IsSecure() && by_key.Enter());
    EXPECT_TRUE(by_certificate.IsSecure() && by_certificate.Enter());
    EXPECT_FALSE(by_neither.IsSecure() && by_neither.Enter());
    EXPECT_TRUE(server_->WaitForLog("\"alice\"")) << server_->Log();
    EXPECT_TRUE(server_->WaitForLog("CN=")) << server_->Log();
}

TEST_F(TlsTest, BothVersionsOfTlsAreSpoken)
{
    Start({"--tls-psk", Keys()});
    for (const char *version : {"1.2", "1.3"}) {
        TlsWish wish = Alice();

        wish.priority += std::string(":-VERS-ALL:+VERS-TLS") + version;
        TlsPeer peer(socket_, wish);

        ASSERT_TRUE(peer.IsSecure() && peer.Enter()) << version;
        peer.Send(Read(1, 0, 4096) + Disc());
        EXPECT_EQ(peer.ReceiveAll(), Reply(1, 0) + std::string(4096, '\0'));
        EXPECT_TRUE(server_->WaitForLog(std::string("(TLS") + version)) << server_->Log();
    }
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, WithoutACaAnybodyIsServed)
{
    Pki open("open", false);
    Start({"--tls-certs", open.Path()});
    TlsWish wish;
    wish.dir = open.Path();

    TlsPeer peer(socket_, wish);

    ASSERT_TRUE(peer.IsSecure() && peer.Enter());
    EXPECT_TRUE(server_->WaitForLog("without a name")) << server_->Log();
    peer.Send(Disc());
    peer.ReceiveAll();
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, LongRequestsGoThroughManyRecords)
{
    constexpr uint32_t kLong = 3 << 20;
    Start({"--tls-psk", Keys()});
    TlsPeer peer(socket_, Alice());
    std::string payload(kLong, '\0');
    for (size_t i = 0; i < payload.size(); i++) {
        payload[i] = static_cast<char>(i * 7 + (i >> 11));
    }

    ASSERT_TRUE(peer.IsSecure() && peer.Enter());
    peer.Send(Write(1, 4096, payload));
    EXPECT_EQ(peer.Receive(16), Reply(1, 0));
    peer.Send(Flush(2));
    EXPECT_EQ(peer.Receive(16), Reply(2, 0));
    peer.Send(Read(3, 4096, kLong));

    EXPECT_TRUE(peer.Receive(16 + kLong) == Reply(3, 0) + payload);
    peer.Send(Disc());
    EXPECT_EQ(peer.ReceiveAll(), "");
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, BehindAFarewellAllThatWasAskedIsAnswered)
{
    constexpr size_t kRequests = 200;
    Start({"--tls-psk", Keys()});
    TlsPeer peer(socket_, Alice());
    std::string requests;
    for (size_t i = 0; i < kRequests; i++) {
        requests += Read(i, i * 4096, 4096);
    }

    ASSERT_TRUE(peer.IsSecure() && peer.Enter());
    peer.Send(requests);
    peer.Bye();

    EXPECT_EQ(peer.ReceiveAll().size(), kRequests * (16 + 4096));
    EXPECT_EQ(peer.end(), 0) << "no farewell";
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, AReloadTakesNewCertificates)
{
    Pki others("others");
    Start({"--tls-certs", pki_->Path()});
    TlsWish ours, theirs;
    ours.dir = ours.show = pki_->Path();
    theirs.dir = theirs.show = others.Path();
    auto old = std::make_unique<TlsPeer>(socket_, ours);
    ASSERT_TRUE(old->IsSecure() && old->Enter());

    Run("cp " + others.Path() + "*.pem $pki/");
    server_->Signal(SIGHUP);
    ASSERT_TRUE(server_->WaitForLog("reloaded: ")) << server_->Log();
    TlsPeer fresh(socket_, theirs);

    EXPECT_TRUE(fresh.IsSecure() && fresh.Enter()) << server_->Log();
    old->Send(Read(1, 0, 1) + Disc());
    EXPECT_EQ(old->ReceiveAll(), Reply(1, 0) + std::string(1, '\0')) << "who is there stays";
    fresh.Send(Disc());
    fresh.ReceiveAll();
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(TlsTest, KeysThatCannotBeReadAreToldInOneLine)
{
    Server none({"--unix", socket_, "--tls-certs", directory_.Path("nowhere"), file_});
    Server file({"--unix", socket_, "--tls-psk", directory_.Path("nothing"), file_});

    EXPECT_EQ(none.Wait(), 1);
    EXPECT_NE(none.Log().find("server-cert.pem"), std::string::npos) << none.Log();
    EXPECT_EQ(file.Wait(), 1);
    EXPECT_NE(file.Log().find("nothing: "), std::string::npos) << file.Log();
}

} // namespace
