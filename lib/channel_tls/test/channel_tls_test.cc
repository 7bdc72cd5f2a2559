/* SPDX-License-Identifier: MIT */
/* channel_tls_test.cc - who talks to whom, and what is said when the line is cut. */
#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aiox/channel_ops.h"
#include "aiox/channel_tls.h"
#include "lib/channel/test/testing.h"
#include "test/harness/trace_log.h"

namespace
{
using aiox_test::Number;
using aiox_test::TracePoint;
using channel_testing::Channel;
using channel_testing::Folder;
using channel_testing::Noise;
using channel_testing::Pair;
using co_testing::Loop;
using co_testing::LoopThread;
using co_testing::Spawn;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

using Points = std::vector<TracePoint>;

/* Runs a program of GnuTLS; false if it fails. */
bool Succeeds(const std::string &command)
{
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/* A folder with all that a client and a server need, made by certtool(1) and psktool(1). */
class Pki
{
  public:
    explicit Pki(const std::string &name)
    {
        bool made = Key("ca") && Key("server") && Key("client") &&
                    SelfSigned("cn = " + name + " CA\nca\ncert_signing_key\n") &&
                    Signed("server", "cn = server of " + name +
                                         "\ndns_name = host.test\n"
                                         "ip_address = 127.0.0.1\ntls_www_server\nsigning_key\n") &&
                    Signed("client", "cn = client of " + name + "\ntls_www_client\nsigning_key\n");
        EXPECT_TRUE(made) << "certtool";
        EXPECT_TRUE(Succeeds("psktool -u alice -p " + (folder_ / "keys.psk"))) << "psktool";
        EXPECT_TRUE(Succeeds("psktool -u bob -p " + (folder_ / "keys.psk"))) << "psktool";
    }
    std::string dir() const
    {
        return folder_ / "";
    }
    std::string operator/(const std::string &name) const
    {
        return folder_ / name;
    }

  private:
    bool Key(const std::string &who)
    {
        return Succeeds(
            "certtool --generate-privkey --key-type=ecdsa --curve=secp256r1 --outfile " +
            (folder_ / (who + "-key.pem")));
    }
    std::string Template(const std::string &text)
    {
        std::ofstream(folder_ / "template") << text << "expiration_days = 10\n";
        return " --template " + (folder_ / "template");
    }
    bool SelfSigned(const std::string &text)
    {
        return Succeeds("certtool --generate-self-signed --load-privkey " +
                        (folder_ / "ca-key.pem") + Template(text) + " --outfile " +
                        (folder_ / "ca-cert.pem"));
    }
    bool Signed(const std::string &who, const std::string &text)
    {
        return Succeeds("certtool --generate-certificate --load-privkey " +
                        (folder_ / (who + "-key.pem")) + " --load-ca-certificate " +
                        (folder_ / "ca-cert.pem") + " --load-ca-privkey " +
                        (folder_ / "ca-key.pem") + Template(text) + " --outfile " +
                        (folder_ / (who + "-cert.pem")));
    }

    Folder folder_;
};

class Credentials
{
  public:
    Credentials() = default;
    ~Credentials()
    {
        aiox_tls_credentials_unref(creds_);
    }
    Credentials(const Credentials &) = delete;
    int X509(aiox_tls_role role, const std::string &dir, aiox_error *err = nullptr)
    {
        aiox_tls_credentials_unref(creds_);
        creds_ = nullptr;
        return aiox_tls_credentials_x509(&creds_, role, dir.c_str(), err);
    }
    int Psk(aiox_tls_role role, const std::string &dir, const char *user, aiox_error *err = nullptr)
    {
        aiox_tls_credentials_unref(creds_);
        creds_ = nullptr;
        return aiox_tls_credentials_psk(&creds_, role, dir.c_str(), user, err);
    }
    operator aiox_tls_credentials *() const
    {
        return creds_;
    }

  private:
    aiox_tls_credentials *creds_ = nullptr;
};

std::string Describe(aiox_channel *ch)
{
    char text[200];
    return aiox_channel_tls_describe(ch, text, sizeof(text));
}

std::string PeerName(aiox_channel *ch)
{
    char text[200];
    int code = aiox_channel_tls_peer_name(ch, text, sizeof(text));
    return code < 0 ? strerror(-code) : text;
}

class Tls : public ::testing::Test
{
  protected:
    static void SetUpTestSuite()
    {
        if (Succeeds("certtool --version") && Succeeds("psktool --version")) {
            ours_ = new Pki("us");
            others_ = new Pki("others");
        }
    }
    static void TearDownTestSuite()
    {
        delete ours_;
        delete others_;
        ours_ = others_ = nullptr;
    }

    void SetUp() override
    {
        if (!ours_) {
            GTEST_SKIP() << "no certtool or psktool (gnutls-bin)";
        }
        aiox_context_set_current(loop_);
        ASSERT_EQ(client_creds_.X509(AIOX_TLS_CLIENT, ours_->dir()), 0);
        ASSERT_EQ(server_creds_.X509(AIOX_TLS_SERVER, ours_->dir()), 0);
    }
    void TearDown() override
    {
        aiox_context_set_current(nullptr);
    }

    void MakeClient(aiox_channel *inner, const char *hostname = "host.test")
    {
        aiox_error err = {};
        ASSERT_EQ(aiox_channel_tls_client_new(client_.Out(), inner, client_creds_, hostname,
                                              &client_options_, &err),
                  0)
            << err.message;
    }
    void MakeServer(aiox_channel *inner)
    {
        aiox_error err = {};
        ASSERT_EQ(aiox_channel_tls_server_new(server_.Out(), inner, server_creds_, &server_options_,
                                              &err),
                  0)
            << err.message;
    }
    /* Both over pair_, which has no other users then. */
    void MakeBoth(const char *hostname = "host.test")
    {
        MakeClient(pair_.a, hostname);
        MakeServer(pair_.b);
        pair_.a.Drop();
        pair_.b.Drop();
    }

    /* Runs both at once, as coroutines, until they end. */
    void Both(const std::function<void()> &one, const std::function<void()> &other)
    {
        int left = 2;
        for (const auto *body : {&one, &other}) {
            aiox_co_enter_in(loop_, Spawn([body, &left] {
                                 (*body)();
                                 left--;
                             }));
        }
        loop_.RunUntil([&] { return left == 0; });
    }

    /* What the handshake said to the client and to the server; who fails goes. */
    void Shake()
    {
        Both(
            [&] {
                client_result_ = aiox_channel_tls_handshake(client_, -1, &client_error_);
                if (client_result_ < 0) {
                    (void)aiox_channel_close(client_);
                }
            },
            [&] {
                server_result_ = aiox_channel_tls_handshake(server_, -1, &server_error_);
                if (server_result_ < 0) {
                    (void)aiox_channel_close(server_);
                }
            });
    }
    void ShakeWell()
    {
        Shake();
        ASSERT_EQ(client_result_, 0) << client_error_.message;
        ASSERT_EQ(server_result_, 0) << server_error_.message;
    }

    static Pki *ours_, *others_;
    Loop loop_;
    Pair pair_;
    Credentials client_creds_, server_creds_;
    aiox_tls_options client_options_ = {}, server_options_ = {};
    Channel client_, server_;
    int client_result_ = 1, server_result_ = 1;
    aiox_error client_error_ = {}, server_error_ = {};
};

Pki *Tls::ours_, *Tls::others_;

TEST_F(Tls, CarriesBothWaysAtOnceMuchMoreThanFits)
{
    std::string sent = Noise(300 * 1000), there(sent.size(), '\0'), back(sent.size(), '\0');
    pair_.MakeNarrow();
    MakeBoth();
    ShakeWell();
    int left = 4;
    auto start = [&](std::function<int()> part) {
        aiox_co_enter_in(loop_, Spawn([&, part] {
                             EXPECT_EQ(part(), 0);
                             left--;
                         }));
    };

    start([&] { return aiox_channel_write_full(client_, sent.data(), sent.size(), -1); });
    start([&] { return aiox_channel_read_full(server_, there.data(), there.size(), -1); });
    start([&] { return aiox_channel_write_full(server_, sent.data(), sent.size(), -1); });
    start([&] { return aiox_channel_read_full(client_, back.data(), back.size(), -1); });
    loop_.RunUntil([&] { return left == 0; });

    EXPECT_TRUE(there == sent);
    EXPECT_TRUE(back == sent);
}

TEST_F(Tls, CarriesVectorsOfPartsOfAnySize)
{
    std::string sent = Noise(100 * 1000), received(sent.size(), '\0');
    MakeBoth();
    ShakeWell();
    std::vector<iovec> out, in;
    for (size_t at = 0, n = 0; at < sent.size(); at += n) {
        n = std::min(sent.size() - at, out.size() % 7 ? (out.size() * 7) % 301 : 20000);
        out.push_back({sent.data() + at, n});
    }
    for (size_t at = 0, n = 0; at < sent.size(); at += n) {
        n = std::min(sent.size() - at, 1 + (in.size() * 13) % 397);
        in.push_back({received.data() + at, n});
    }

    Both([&] { EXPECT_EQ(aiox_channel_writev_full(client_, out.data(), (int)out.size(), -1), 0); },
         [&] { EXPECT_EQ(aiox_channel_readv_full(server_, in.data(), (int)in.size(), -1), 0); });

    EXPECT_TRUE(sent == received);
}

TEST_F(Tls, SaysHowItTalksAndToWhom)
{
    server_options_.require_certificate = true;
    MakeBoth();
    ShakeWell();
    char little[5];

    EXPECT_THAT(Describe(client_), HasSubstr("TLS1.3"));
    EXPECT_EQ(PeerName(client_), "CN=server of us");
    EXPECT_EQ(PeerName(server_), "CN=client of us");
    EXPECT_EQ(aiox_channel_tls_peer_name(client_, little, sizeof(little)), -ENAMETOOLONG);
    EXPECT_STREQ(aiox_channel_kind(client_), "tls");
    EXPECT_EQ(aiox_channel_features(client_), AIOX_CHANNEL_SHUTDOWN);
}

TEST_F(Tls, WorksForThreadsThatBlock)
{
    MakeBoth();
    char text[6] = {};
    std::thread server([&] {
        EXPECT_EQ(aiox_channel_tls_handshake(server_, -1, nullptr), 0);
        EXPECT_EQ(aiox_channel_read_full(server_, text, 5, -1), 0);
        EXPECT_EQ(aiox_channel_tls_bye(server_, -1), 0);
    });

    EXPECT_EQ(aiox_channel_tls_handshake(client_, -1, nullptr), 0);
    EXPECT_EQ(aiox_channel_write_full(client_, "hello", 5, -1), 0);
    char c;
    EXPECT_EQ(aiox_channel_read_full_eof(client_, &c, 1, -1), 0);
    server.join();

    EXPECT_STREQ(text, "hello");
}

TEST_F(Tls, AHandshakeThatMayNotWaitSaysSoInWords)
{
    MakeBoth();
    aiox_error err = {};
    aiox_channel_set_blocking(client_, false);

    EXPECT_EQ(aiox_channel_tls_handshake(client_, -1, &err), -EAGAIN);

    EXPECT_EQ(err.code, -EAGAIN);
    EXPECT_THAT(err.message, HasSubstr("TLS handshake"));
}

/* ---- whom to believe ---- */

TEST_F(Tls, TheServerMustBeTheOneThatWasMeant)
{
    MakeBoth("elsewhere.test");

    Shake();

    EXPECT_EQ(client_result_, -EKEYREJECTED);
    EXPECT_THAT(client_error_.message, HasSubstr("does not match"));
}

TEST_F(Tls, TheServerMayBeMeantByItsAddress)
{
    MakeBoth("127.0.0.1");

    ShakeWell();
}

TEST_F(Tls, WithoutANameAnybodyOfOursWillDo)
{
    MakeBoth(nullptr);

    ShakeWell();
}

TEST_F(Tls, AServerOfOthersIsRefused)
{
    ASSERT_EQ(server_creds_.X509(AIOX_TLS_SERVER, others_->dir()), 0);
    MakeBoth(nullptr);

    Shake();

    EXPECT_EQ(client_result_, -EKEYREJECTED);
    EXPECT_THAT(client_error_.message, HasSubstr("NOT trusted"));
}

TEST_F(Tls, AServerThatAsksRefusesAClientOfOthers)
{
    ASSERT_EQ(client_creds_.X509(AIOX_TLS_CLIENT, others_->dir()), 0);
    ASSERT_EQ(server_creds_.X509(AIOX_TLS_SERVER, ours_->dir()), 0);
    Pki &mixed = *ours_; /* the client believes our server, but shows what others have signed */
    Folder folder;
    for (auto [from, name] :
         {std::pair(&mixed, "ca-cert.pem"), std::pair(others_, "client-cert.pem"),
          std::pair(others_, "client-key.pem")}) {
        std::ofstream(folder / name) << std::ifstream(*from / name).rdbuf();
    }
    ASSERT_EQ(client_creds_.X509(AIOX_TLS_CLIENT, folder / ""), 0);
    server_options_.require_certificate = true;
    MakeBoth();

    Shake();

    EXPECT_EQ(server_result_, -EKEYREJECTED) << server_error_.message;
}

TEST_F(Tls, AServerThatAsksRefusesAClientWithNoCertificate)
{
    Folder folder;
    std::ofstream(folder / "ca-cert.pem") << std::ifstream(*ours_ / "ca-cert.pem").rdbuf();
    ASSERT_EQ(client_creds_.X509(AIOX_TLS_CLIENT, folder / ""), 0);
    server_options_.require_certificate = true;
    MakeBoth();
    char c;
    int first_read = 1;

    Both(
        [&] {
            client_result_ = aiox_channel_tls_handshake(client_, -1, nullptr);
            first_read = aiox_channel_read_full(client_, &c, 1, -1);
        },
        [&] {
            server_result_ = aiox_channel_tls_handshake(server_, -1, &server_error_);
            EXPECT_EQ(aiox_channel_close(server_), 0);
        });

    EXPECT_EQ(server_result_, -EKEYREJECTED) << server_error_.message;
    EXPECT_EQ(client_result_, 0) << "TLS 1.3 has not heard yet";
    EXPECT_EQ(first_read, -EPROTO) << "it is told";
}

TEST_F(Tls, AServerThatDoesNotAskTakesAnybody)
{
    Folder folder;
    std::ofstream(folder / "ca-cert.pem") << std::ifstream(*ours_ / "ca-cert.pem").rdbuf();
    ASSERT_EQ(client_creds_.X509(AIOX_TLS_CLIENT, folder / ""), 0);
    MakeBoth();

    ShakeWell();

    EXPECT_EQ(PeerName(server_), strerror(ENOENT));
}

/* ---- keys ---- */

TEST_F(Tls, ByAKeyThatBothHave)
{
    ASSERT_EQ(client_creds_.Psk(AIOX_TLS_CLIENT, ours_->dir(), "bob"), 0);
    ASSERT_EQ(server_creds_.Psk(AIOX_TLS_SERVER, ours_->dir(), nullptr), 0);
    for (const char *priority : {"NORMAL", "NORMAL:-VERS-TLS1.3"}) {
        pair_ = Pair();
        client_options_.priority = priority;
        MakeBoth();

        ShakeWell();

        EXPECT_THAT(Describe(client_), HasSubstr("ECDHE")) << "keys that leak open nothing old";
        EXPECT_EQ(PeerName(server_), "bob");
        EXPECT_EQ(PeerName(client_), strerror(ENOENT));
    }
}

TEST_F(Tls, KeysMayBeInAFileOfAnyName)
{
    Folder folder;
    ASSERT_TRUE(Succeeds("cp " + (*ours_ / "keys.psk") + " '" + (folder / "nbd keys") + "'"));
    aiox_tls_credentials *server = nullptr, *client = nullptr;

    int of_server = aiox_tls_credentials_psk_file(&server, AIOX_TLS_SERVER,
                                                  (folder / "nbd keys").c_str(), nullptr, nullptr);
    int of_client = aiox_tls_credentials_psk_file(&client, AIOX_TLS_CLIENT,
                                                  (folder / "nbd keys").c_str(), "bob", nullptr);
    aiox_tls_credentials *nobody = nullptr;

    EXPECT_EQ(of_server, 0);
    EXPECT_EQ(of_client, 0);
    EXPECT_EQ(aiox_tls_credentials_psk_file(&nobody, AIOX_TLS_CLIENT, (folder / "nbd keys").c_str(),
                                            "eve", nullptr),
              -ENOKEY);
    EXPECT_EQ(aiox_tls_credentials_psk_file(&nobody, AIOX_TLS_SERVER, (folder / "none").c_str(),
                                            nullptr, nullptr),
              -ENOENT);
    aiox_tls_credentials_unref(server);
    aiox_tls_credentials_unref(client);
}

TEST_F(Tls, AnotherKeyIsRefused)
{
    ASSERT_EQ(client_creds_.Psk(AIOX_TLS_CLIENT, others_->dir(), "bob"), 0);
    ASSERT_EQ(server_creds_.Psk(AIOX_TLS_SERVER, ours_->dir(), nullptr), 0);
    MakeBoth();

    Shake();

    EXPECT_LT(client_result_, 0);
    EXPECT_LT(server_result_, 0);
    EXPECT_NE(std::string(server_error_.message), "");
}

TEST_F(Tls, AUserThatIsNotKnownIsRefused)
{
    Folder folder;
    std::ofstream(folder / "keys.psk") << "eve:00112233445566778899aabbccddeeff\n";
    ASSERT_EQ(client_creds_.Psk(AIOX_TLS_CLIENT, folder / "", "eve"), 0);
    ASSERT_EQ(server_creds_.Psk(AIOX_TLS_SERVER, ours_->dir(), nullptr), 0);
    MakeBoth();

    Shake();

    EXPECT_LT(client_result_, 0);
    EXPECT_LT(server_result_, 0);
}

TEST_F(Tls, AServerMayTakeKeysAndCertificates)
{
    aiox_error err = {};
    const std::string keys = std::string(ours_->dir()) + "/keys.psk";
    ASSERT_EQ(aiox_tls_credentials_add_psk_file(server_creds_, "/nowhere", &err), -ENOENT);
    ASSERT_EQ(aiox_tls_credentials_add_psk_file(server_creds_, keys.c_str(), &err), 0);
    server_options_.require_certificate = true;
    for (const char *priority : {"NORMAL", "NORMAL:-VERS-TLS1.3"}) {
        client_options_.priority = priority;

        ASSERT_EQ(client_creds_.X509(AIOX_TLS_CLIENT, ours_->dir()), 0);
        pair_ = Pair();
        MakeBoth();
        ShakeWell();
        EXPECT_THAT(PeerName(server_), HasSubstr("CN=")) << priority;

        ASSERT_EQ(client_creds_.Psk(AIOX_TLS_CLIENT, ours_->dir(), "bob"), 0);
        pair_ = Pair();
        MakeBoth();
        ShakeWell();
        EXPECT_EQ(PeerName(server_), "bob") << priority;

        ASSERT_EQ(client_creds_.Psk(AIOX_TLS_CLIENT, others_->dir(), "bob"), 0);
        pair_ = Pair();
        MakeBoth();
        Shake();
        EXPECT_LT(server_result_, 0) << priority;
    }
}

TEST_F(Tls, KeysAndCertificatesDoNotMix)
{
    ASSERT_EQ(client_creds_.Psk(AIOX_TLS_CLIENT, ours_->dir(), "alice"), 0);
    MakeBoth();

    Shake();

    EXPECT_EQ(server_result_, -EPROTO) << server_error_.message;
    EXPECT_LT(client_result_, 0);
}

/* ---- what is allowed ---- */

TEST_F(Tls, TheCallerChoosesTheVersion)
{
    client_options_.priority = "NORMAL:-VERS-TLS1.3";
    MakeBoth();

    ShakeWell();

    EXPECT_THAT(Describe(client_), HasSubstr("TLS1.2"));
}

TEST_F(Tls, OldVersionsAreRefusedWhateverTheCallerSays)
{
    client_options_.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0";
    aiox_error err = {};

    int code = aiox_channel_tls_client_new(client_.Out(), pair_.a, client_creds_, nullptr,
                                           &client_options_, &err);
    if (code == 0) {
        code = aiox_channel_tls_handshake(client_, -1, &err);
    }

    EXPECT_THAT(code, AnyOf(-EINVAL, -EPROTO)) << err.message;
}

TEST_F(Tls, OptionsThatAreWrongAreAnErrorInWords)
{
    aiox_error err = {};
    client_options_.priority = "NORMAL:+NONSENSE";

    EXPECT_EQ(aiox_channel_tls_client_new(client_.Out(), pair_.a, client_creds_, nullptr,
                                          &client_options_, &err),
              -EINVAL);
    EXPECT_THAT(err.message, HasSubstr("priority"));
    EXPECT_EQ(
        aiox_channel_tls_client_new(client_.Out(), pair_.a, server_creds_, nullptr, nullptr, &err),
        -EINVAL);
    EXPECT_EQ(aiox_channel_tls_server_new(server_.Out(), pair_.a, client_creds_, nullptr, &err),
              -EINVAL);
}

TEST_F(Tls, CredentialsThatAreMissingOrNoneAreAnErrorThatNamesThem)
{
    Folder folder;
    Credentials creds;
    aiox_error err = {};

    EXPECT_EQ(creds.X509(AIOX_TLS_CLIENT, folder / "", &err), -ENOENT);
    EXPECT_THAT(err.message, HasSubstr("ca-cert.pem"));
    EXPECT_EQ(creds.X509(AIOX_TLS_SERVER, folder / "", &err), -ENOENT);
    EXPECT_THAT(err.message, HasSubstr("server-cert.pem"));
    EXPECT_EQ(creds.Psk(AIOX_TLS_SERVER, folder / "", nullptr, &err), -ENOENT);
    EXPECT_THAT(err.message, HasSubstr("keys.psk"));
    std::ofstream(folder / "ca-cert.pem") << "nothing of the kind\n";
    EXPECT_EQ(creds.X509(AIOX_TLS_CLIENT, folder / "", &err), -EINVAL);
    EXPECT_EQ(creds.Psk(AIOX_TLS_CLIENT, ours_->dir(), "mallory", &err), -ENOKEY);
    EXPECT_THAT(err.message, HasSubstr("mallory"));
    std::ofstream(folder / "keys.psk") << "bob:this is not hex\n";
    EXPECT_EQ(creds.Psk(AIOX_TLS_CLIENT, folder / "", "bob", &err), -EINVAL);
}

/* ---- the end ---- */

TEST_F(Tls, AFarewellIsTheEndOfTheFile)
{
    MakeBoth();
    ShakeWell();
    char c = 0;

    Both(
        [&] {
            EXPECT_EQ(aiox_channel_write_full(client_, "x", 1, -1), 0);
            EXPECT_EQ(aiox_channel_tls_bye(client_, -1), 0);
            EXPECT_EQ(aiox_channel_tls_bye(client_, -1), 0) << "once more is nothing";
            EXPECT_EQ(aiox_channel_write(client_, "x", 1, -1), -EPIPE);
            EXPECT_EQ(aiox_channel_read_full(client_, &c, 1, -1), 0) << "reading goes on";
        },
        [&] {
            char d;
            EXPECT_EQ(aiox_channel_read_full_eof(server_, &d, 1, -1), 1);
            EXPECT_EQ(aiox_channel_read_full_eof(server_, &d, 1, -1), 0);
            EXPECT_EQ(aiox_channel_write_full(server_, "y", 1, -1), 0);
            EXPECT_EQ(aiox_channel_shutdown(server_, AIOX_CHANNEL_BOTH), 0);
        });

    EXPECT_EQ(c, 'y');
}

TEST_F(Tls, GoingWithoutAFarewellIsAnError)
{
    MakeBoth();
    ShakeWell();
    EXPECT_EQ(aiox_channel_close(client_), 0);
    char c;
    int result = 1;

    loop_.Run([&] { result = aiox_channel_read_full_eof(server_, &c, 1, -1); });

    EXPECT_EQ(result, -ECONNABORTED);
}

TEST_F(Tls, AWaitIsEndedAndTimesOut)
{
    MakeBoth();
    ShakeWell();
    char c;
    int woken = 1, late = 1, closed = 1;
    aiox_co_enter_in(loop_, Spawn([&] { woken = aiox_channel_read_full(client_, &c, 1, -1); }));

    EXPECT_TRUE(aiox_channel_wake_read(client_));
    loop_.Run([&] { late = aiox_channel_read_full(client_, &c, 1, 0); });
    aiox_co_enter_in(loop_, Spawn([&] { closed = aiox_channel_read_full(client_, &c, 1, -1); }));
    EXPECT_EQ(aiox_channel_close(client_), 0);
    loop_.RunUntil([&] { return closed != 1; });

    EXPECT_EQ(woken, -ECANCELED);
    EXPECT_EQ(late, -ETIMEDOUT);
    EXPECT_EQ(closed, -ECANCELED);
    EXPECT_EQ(aiox_channel_read(client_, &c, 1, -1), -EBADF);
    EXPECT_EQ(aiox_channel_tls_bye(client_, -1), -EBADF);
}

/* The record that did not fit is kept, and sent once. */
TEST_F(Tls, AWriteThatWasEndedCanBeRepeated)
{
    std::string sent = Noise(200 * 1000), received(sent.size(), '\0');
    size_t done = 0;
    int interrupted = 0;
    pair_.MakeNarrow();
    MakeBoth();
    ShakeWell();
    aiox_co_enter_in(loop_, Spawn([&] {
                         while (done < sent.size()) {
                             ssize_t n = aiox_channel_write(client_, sent.data() + done,
                                                            sent.size() - done, -1);
                             interrupted += n == -ECANCELED;
                             done += n > 0 ? (size_t)n : 0;
                         }
                     }));

    loop_.Run([&] {
        for (size_t at = 0; at < received.size(); at += 1000) {
            (void)aiox_channel_wake_write(client_);
            EXPECT_EQ(aiox_channel_read_full(server_, received.data() + at, 1000, -1), 0);
        }
    });
    loop_.RunUntil([&] { return done == sent.size(); });

    EXPECT_GT(interrupted, 0);
    EXPECT_TRUE(sent == received);
}

TEST_F(Tls, AHandshakeWithNobodyTimesOut)
{
    MakeClient(pair_.a);

    loop_.Run([&] { client_result_ = aiox_channel_tls_handshake(client_, 0, &client_error_); });

    EXPECT_EQ(client_result_, -ETIMEDOUT);
    EXPECT_STRNE(client_error_.message, "");
    EXPECT_EQ(aiox_channel_tls_handshake(client_, 0, nullptr), -ETIMEDOUT) << "in a thread";
}

TEST_F(Tls, AHandshakeWithNonsenseFails)
{
    MakeServer(pair_.b);
    std::string noise = Noise(10000);
    EXPECT_EQ(aiox_channel_write_full(pair_.a, noise.data(), noise.size(), -1), 0);

    loop_.Run([&] { server_result_ = aiox_channel_tls_handshake(server_, -1, &server_error_); });

    EXPECT_EQ(server_result_, -EPROTO);
}

/* ---- the line is cut ---- */

/* A channel of the test's own: it ends after so many bytes. */
struct Scissors {
    aiox_channel base;
    aiox_channel *inner;
    size_t left;

    static Scissors *Of(aiox_channel *ch)
    {
        return reinterpret_cast<Scissors *>(ch);
    }
    static ssize_t Read(aiox_channel *ch, aiox_channel_io *io)
    {
        Scissors *s = Of(ch);
        iovec part = {io->iov->iov_base, std::min(io->iov->iov_len, s->left)};
        aiox_channel_io cut = {};
        cut.iov = &part;
        cut.count = 1;
        if (s->left == 0) {
            return 0;
        }
        ssize_t n = aiox_channel_try_read(s->inner, &cut);
        s->left -= n > 0 ? (size_t)n : 0;
        return n;
    }
    static ssize_t Write(aiox_channel *ch, aiox_channel_io *io)
    {
        return aiox_channel_try_write(Of(ch)->inner, io);
    }
    static int Wait(aiox_channel *ch, uint32_t events, int64_t deadline_ns)
    {
        return aiox_channel_wait(Of(ch)->inner, events, deadline_ns);
    }
    static int Close(aiox_channel *ch)
    {
        return aiox_channel_close(Of(ch)->inner);
    }
    static void Free(aiox_channel *ch)
    {
        aiox_channel_unref(Of(ch)->inner);
        delete Of(ch);
    }
    static Channel Make(aiox_channel *inner, size_t bytes)
    {
        static const aiox_channel_ops ops = [] {
            aiox_channel_ops o = {};
            o.kind = "scissors";
            o.read = Read;
            o.write = Write;
            o.wait = Wait;
            o.close = Close;
            o.free = Free;
            return o;
        }();
        auto *s = new Scissors{{}, aiox_channel_ref(inner), bytes};
        aiox_channel_init(&s->base, &ops, 0);
        return Channel(&s->base);
    }
};

/* A line that is cut anywhere in the handshake or the message is never taken for an end. */
TEST_F(Tls, CutAnywhereIsAnError)
{
    constexpr size_t kEnough = 1 << 20;
    size_t whole = 0;

    auto hear = [&](size_t bytes) {
        Pair pair;
        Channel cut = Scissors::Make(pair.a, bytes);
        int result = 1;
        char text[5];
        MakeClient(cut);
        MakeServer(pair.b);
        Both(
            [&] {
                result = aiox_channel_tls_handshake(client_, -1, nullptr);
                if (result == 0) {
                    result = aiox_channel_read_full_eof(client_, text, sizeof(text), -1);
                }
                whole = kEnough - Scissors::Of(cut)->left;
                EXPECT_EQ(aiox_channel_close(client_), 0);
            },
            [&] {
                if (aiox_channel_tls_handshake(server_, -1, nullptr) == 0) {
                    int code = aiox_channel_write_full(server_, "hello", 5, -1);
                    EXPECT_TRUE(code == 0 || code == -EPIPE || code == -ECONNRESET) << code;
                }
            });
        return result;
    };

    ASSERT_EQ(hear(kEnough), 1);
    size_t all = whole;
    for (size_t bytes = 0; bytes + 8 < all; bytes += 41) {
        ASSERT_EQ(hear(bytes), -ECONNABORTED) << bytes << " of " << all;
    }
}

/* ---- threads ---- */

TEST_F(Tls, ReaderAndWriterInTwoContexts)
{
    constexpr uint32_t kMessages = 3000;
    MakeBoth();
    ShakeWell();
    LoopThread one, other;
    std::atomic<int> left{4};
    auto part = [&](aiox_context *ctx, aiox_channel *ch, bool talks) {
        aiox_co_enter_in(ctx, Spawn([&, ch, talks] {
                             for (uint32_t i = 0; i < kMessages; i++) {
                                 uint32_t word = i;
                                 EXPECT_EQ(talks ? aiox_channel_write_full(ch, &word, 4, -1)
                                                 : aiox_channel_read_full(ch, &word, 4, -1),
                                           0);
                                 EXPECT_EQ(word, i);
                             }
                             left--;
                             aiox_notify(loop_);
                         }));
    };

    part(one, client_, true);
    part(other, client_, false);
    part(one, server_, false);
    part(other, server_, true);
    loop_.RunUntil([&] { return left == 0; });
}

/* It is this loop that sees the bytes, for a coroutine of another. */
TEST_F(Tls, ThatDoesNotFollowStaysWhereItFirstWas)
{
    MakeBoth();
    ShakeWell();
    LoopThread other;
    std::atomic<bool> done{false};
    char c = 0;
    aiox_channel_set_follow_coroutine_ctx(client_, false);
    aiox_co_enter_in(other, Spawn([&] {
                         EXPECT_EQ(aiox_channel_read_full(client_, &c, 1, -1), 0);
                         EXPECT_TRUE(aiox_context_is_home(other));
                         done = true;
                         aiox_notify(loop_);
                     }));

    EXPECT_EQ(aiox_channel_write_full(server_, "x", 1, -1), 0);
    loop_.RunUntil([&] { return done.load(); });

    EXPECT_EQ(c, 'x');
}

/* ---- trace points ---- */

TEST_F(Tls, TraceOfAHandshakeAndAFarewell)
{
    MakeBoth();
    aiox_test::TraceLog log("channel_tls");

    ShakeWell();
    Points shaking = log.Points();
    char c;
    Both([&] { EXPECT_EQ(aiox_channel_tls_bye(client_, -1), 0); },
         [&] { EXPECT_EQ(aiox_channel_read_full_eof(server_, &c, 1, -1), 0); });

    EXPECT_THAT(shaking, Contains(TracePoint{"shake", Number(client_), AIOX_FD_READ}));
    EXPECT_THAT(shaking, Contains(TracePoint{"shaken", Number(client_), 0}).Times(1));
    EXPECT_THAT(shaking, Contains(TracePoint{"shaken", Number(server_), 0}).Times(1));
    EXPECT_EQ(log.Points(), (Points{{"farewell", Number(client_), 0}}));
}

TEST_F(Tls, TraceOfARecordThatDoesNotFitAndOfALineThatIsCut)
{
    std::string much = Noise(300 * 1000);
    pair_.MakeNarrow();
    MakeBoth();
    ShakeWell();
    aiox_test::TraceLog log("channel_tls");

    aiox_channel_set_blocking(client_, false);
    ssize_t n;
    while ((n = aiox_channel_write(client_, much.data(), much.size(), -1)) > 0) {
    }
    EXPECT_EQ(n, -EAGAIN);
    EXPECT_EQ(log.Points(), (Points{{"unsent", Number(client_), 16384}}));
    client_.Drop();
    loop_.Run([&] {
        while ((n = aiox_channel_read(server_, much.data(), much.size(), -1)) > 0) {
        }
    });

    EXPECT_EQ(n, -ECONNABORTED);
    EXPECT_EQ(log.Points(),
              (Points{{"broken", Number(server_), static_cast<uint64_t>(-ECONNABORTED)}}));
}

} // namespace
