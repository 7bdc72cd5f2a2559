/* SPDX-License-Identifier: MIT */
/* connect_test.cc - listeners and those who come, each by each kind of address. */
#include <arpa/inet.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Address;
using channel_testing::Channel;
using channel_testing::Exists;
using channel_testing::Fd;
using channel_testing::Folder;
using channel_testing::Text;
using co_testing::Loop;
using co_testing::Spawn;

bool HasIpv6()
{
    Fd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 any = {};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_loopback;
    return fd >= 0 && bind(fd, reinterpret_cast<sockaddr *>(&any), sizeof(any)) == 0;
}

int Listen(Channel *out, const std::string &text, const aiox_listen_options &options = {})
{
    aiox_socket_address at = Address(text);
    aiox_error err = {};
    int code = aiox_channel_listen(out->Out(), &at, &options, &err);
    EXPECT_EQ(err.code, code);
    return code;
}

int Connect(Channel *out, const aiox_socket_address &to)
{
    aiox_error err = {};
    int code = aiox_channel_connect(out->Out(), &to, -1, &err);
    EXPECT_EQ(err.code, code);
    return code;
}

int Connect(Channel *out, const std::string &text)
{
    return Connect(out, Address(text));
}

aiox_socket_address Local(aiox_channel *ch)
{
    aiox_socket_address address = {};
    EXPECT_EQ(aiox_channel_local_address(ch, &address), 0);
    return address;
}

aiox_socket_address Peer(aiox_channel *ch)
{
    aiox_socket_address address = {};
    EXPECT_EQ(aiox_channel_peer_address(ch, &address), 0);
    return address;
}

class Net : public ::testing::Test
{
  protected:
    Net()
    {
        aiox_context_set_current(loop_);
    }
    ~Net() override
    {
        aiox_context_set_current(nullptr);
    }

    /* A coroutine takes one connection and answers with what it hears, until the end. */
    void StartEcho(aiox_channel *listener)
    {
        aiox_co_enter_in(loop_, Spawn([=] {
                             aiox_channel *ch = nullptr;
                             EXPECT_EQ(aiox_channel_accept(listener, &ch, -1), 0);
                             Channel peer(ch);
                             char text[100];
                             ssize_t n;
                             while ((n = aiox_channel_read(peer, text, sizeof(text), -1)) > 0) {
                                 EXPECT_EQ(aiox_channel_write_full(peer, text, (size_t)n, -1), 0);
                             }
                         }));
    }

    /* Connects there, in a coroutine, and hears its own words. */
    void SayHello(const aiox_socket_address &to)
    {
        loop_.Run([&] {
            Channel ch;
            char text[6] = {};
            ASSERT_EQ(Connect(&ch, to), 0);
            EXPECT_EQ(aiox_channel_write_full(ch, "hello", 5, -1), 0);
            EXPECT_EQ(aiox_channel_read_full(ch, text, 5, -1), 0);
            EXPECT_STREQ(text, "hello");
        });
        loop_.Settle();
    }

    Loop loop_;
    Folder folder_;
};

TEST_F(Net, TcpOverIpv4)
{
    Channel listener;
    ASSERT_EQ(Listen(&listener, "tcp:127.0.0.1:0"), 0);
    EXPECT_EQ(aiox_channel_features(listener), AIOX_CHANNEL_LISTEN);

    StartEcho(listener);
    SayHello(Local(listener));
}

TEST_F(Net, TcpOverIpv6)
{
    if (!HasIpv6()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    Channel listener;
    ASSERT_EQ(Listen(&listener, "tcp:[::1]:0"), 0);

    StartEcho(listener);
    SayHello(Local(listener));
}

TEST_F(Net, AnEmptyHostListensForBothFamilies)
{
    Channel listener;
    ASSERT_EQ(Listen(&listener, "tcp:*:0"), 0);
    std::string port = Local(listener).port;

    StartEcho(listener);
    SayHello(Address("tcp:127.0.0.1:" + port));
    if (HasIpv6()) {
        StartEcho(listener);
        SayHello(Address("tcp:[::1]:" + port));
    }
    StartEcho(listener);
    SayHello(Address("tcp::" + port)); /* this machine */
}

TEST_F(Net, ANameIsLookedUpWithoutBlockingTheLoop)
{
    Channel listener;
    ASSERT_EQ(Listen(&listener, "tcp:localhost:0"), 0) << "in this thread";

    StartEcho(listener);
    SayHello(Address(std::string("tcp:localhost:") + Local(listener).port));
}

TEST_F(Net, NewTcpChannelsDoNotDelay)
{
    Channel listener, ch;
    ASSERT_EQ(Listen(&listener, "tcp:127.0.0.1:0"), 0);
    ASSERT_EQ(Connect(&ch, Local(listener)), 0);
    auto delays = [&] {
        int on = -1;
        socklen_t bytes = sizeof(on);
        EXPECT_EQ(getsockopt(aiox_channel_socket_fd(ch), IPPROTO_TCP, TCP_NODELAY, &on, &bytes), 0);
        return on == 0;
    };

    EXPECT_FALSE(delays());
    EXPECT_EQ(aiox_channel_set_delay(ch, true), 0);
    EXPECT_TRUE(delays());
    EXPECT_EQ(aiox_channel_set_cork(ch, true), 0);
    EXPECT_EQ(aiox_channel_set_cork(ch, false), 0);
    EXPECT_EQ(aiox_channel_set_keepalive(ch, true), 0);
    EXPECT_EQ(aiox_channel_features(ch) & AIOX_CHANNEL_FD_PASS, 0u);
}

TEST_F(Net, WhoIsThereHasAnAddress)
{
    Channel listener, ch, accepted;
    ASSERT_EQ(Listen(&listener, "tcp:127.0.0.1:0"), 0);
    ASSERT_EQ(Connect(&ch, Local(listener)), 0);
    ASSERT_EQ(aiox_channel_accept(listener, accepted.Out(), -1), 0);

    EXPECT_EQ(Text(Peer(ch)), Text(Local(listener)));
    EXPECT_EQ(Text(Peer(accepted)), Text(Local(ch)));
    aiox_peer_credentials who;
    EXPECT_EQ(aiox_channel_peer_credentials(ch, &who), -EOPNOTSUPP);
}

TEST_F(Net, NobodyThereIsAnError)
{
    Channel listener, ch;
    ASSERT_EQ(Listen(&listener, "tcp:127.0.0.1:0"), 0);
    aiox_socket_address at = Local(listener);
    listener.Drop();

    loop_.Run([&] { EXPECT_EQ(Connect(&ch, at), -ECONNREFUSED); });

    EXPECT_EQ(Connect(&ch, at), -ECONNREFUSED);
    EXPECT_EQ(Connect(&ch, "unix:" + (folder_ / "none")), -ENOENT);
    EXPECT_EQ(Connect(&ch, "unix-abstract:aiox nobody listens"), -ECONNREFUSED);
}

TEST_F(Net, WhoListensAtATakenPlaceIsTold)
{
    Channel listener, second;
    ASSERT_EQ(Listen(&listener, "tcp:127.0.0.1:0"), 0);

    EXPECT_EQ(Listen(&second, Text(Local(listener))), -EADDRINUSE);
}

TEST_F(Net, UnixSocketsByPath)
{
    Channel listener;
    std::string path = folder_ / "sock";
    ASSERT_EQ(Listen(&listener, "unix:" + path), 0);

    StartEcho(listener);
    SayHello(Address("unix:" + path));

    EXPECT_EQ(aiox_channel_close(listener), 0);
    EXPECT_FALSE(Exists(path)) << "closing a listener removes its file";
}

TEST_F(Net, UnixSocketsByName)
{
    Channel listener;
    std::string name = "unix-abstract:" + (folder_ / "name");
    ASSERT_EQ(Listen(&listener, name), 0);
    EXPECT_EQ(Text(Local(listener)), name);

    StartEcho(listener);
    SayHello(Address(name));
}

TEST_F(Net, AUnixPeerHasCredentials)
{
    Channel listener, ch;
    std::string path = folder_ / "sock";
    ASSERT_EQ(Listen(&listener, "unix:" + path), 0);
    ASSERT_EQ(Connect(&ch, "unix:" + path), 0);
    aiox_peer_credentials who = {};

    EXPECT_EQ(aiox_channel_peer_credentials(ch, &who), 0);

    EXPECT_EQ(who.pid, getpid());
    EXPECT_EQ(who.uid, getuid());
    EXPECT_EQ(who.gid, getgid());
    EXPECT_EQ(Text(Peer(ch)), "unix:" + path);
}

TEST_F(Net, AFileThatIsThereStaysUnlessAskedFor)
{
    Channel listener, second;
    std::string path = folder_ / "sock";
    aiox_listen_options replace = {};
    replace.replace_stale = true;
    {
        Fd stale(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un at = {};
        at.sun_family = AF_UNIX;
        path.copy(at.sun_path, sizeof(at.sun_path) - 1);
        ASSERT_EQ(bind(stale, reinterpret_cast<sockaddr *>(&at), sizeof(at)), 0);
    }

    EXPECT_EQ(Listen(&listener, "unix:" + path), -EADDRINUSE);
    EXPECT_TRUE(Exists(path));
    EXPECT_EQ(Listen(&listener, "unix:" + path, replace), 0);
    EXPECT_EQ(Listen(&second, "unix:" + path, replace), -EADDRINUSE) << "it is in use";
    EXPECT_TRUE(Exists(path));
}

TEST_F(Net, AFileThatIsNoSocketIsNeverRemoved)
{
    Channel listener;
    std::string path = folder_ / "file";
    Fd file(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    aiox_listen_options replace = {};
    replace.replace_stale = true;

    EXPECT_EQ(Listen(&listener, "unix:" + path, replace), -EADDRINUSE);

    EXPECT_TRUE(Exists(path));
}

TEST_F(Net, AFileInItsPlaceIsNotRemoved)
{
    Channel listener;
    std::string path = folder_ / "sock";
    ASSERT_EQ(Listen(&listener, "unix:" + path), 0);
    ASSERT_EQ(unlink(path.c_str()), 0);
    Fd other(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));

    listener.Drop();

    EXPECT_TRUE(Exists(path));
}

TEST_F(Net, ASocketThatWasMerelyBoundKeepsItsFile)
{
    std::string path = folder_ / "sock";
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof(at.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&at), sizeof(at)), 0);
    Channel ch;
    ASSERT_EQ(aiox_channel_socket_new(ch.Out(), fd), 0);

    ch.Drop();

    EXPECT_TRUE(Exists(path));
}

/* As a service manager gives one: bound, and it may or may not listen already. */
TEST_F(Net, ASocketThatIsThereAlreadyCanListen)
{
    std::string path = folder_ / "sock";
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof(at.sun_path) - 1);
    Fd given(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(given, reinterpret_cast<sockaddr *>(&at), sizeof(at)), 0);
    Channel listener;

    ASSERT_EQ(Listen(&listener, "fd:" + std::to_string(given)), 0);
    StartEcho(listener);
    SayHello(Address("unix:" + path));

    listener.Drop();
    EXPECT_TRUE(Exists(path)) << "it belongs to whoever has made it";
}

TEST_F(Net, AConnectedSocketThatIsThereAlreadyIsUsed)
{
    int fd[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    Fd mine(fd[0]), peer(fd[1]);
    Channel ch;

    ASSERT_EQ(Connect(&ch, "fd:" + std::to_string(mine)), 0);
    EXPECT_EQ(aiox_channel_write_full(ch, "x", 1, -1), 0);

    char c = 0;
    EXPECT_EQ(read(peer, &c, 1), 1);
    EXPECT_EQ(c, 'x');
    EXPECT_EQ(Connect(&ch, "fd:1000000"), -EBADF);
}

/* ---- accept ---- */

TEST_F(Net, AcceptWaitsIsWokenAndTimesOut)
{
    Channel listener, ch;
    ASSERT_EQ(Listen(&listener, "unix:" + (folder_ / "sock")), 0);
    int woken = 1, late = 1;
    aiox_co_enter_in(loop_, Spawn([&] { woken = aiox_channel_accept(listener, ch.Out(), -1); }));

    EXPECT_TRUE(aiox_channel_wake_read(listener));
    loop_.Run([&] { late = aiox_channel_accept(listener, ch.Out(), 0); });

    EXPECT_EQ(woken, -ECANCELED);
    EXPECT_EQ(late, -ETIMEDOUT);
    EXPECT_EQ(aiox_channel_accept(listener, ch.Out(), 0), -ETIMEDOUT) << "in a thread";
    aiox_channel_set_blocking(listener, false);
    EXPECT_EQ(aiox_channel_accept(listener, ch.Out(), -1), -EAGAIN);
}

TEST_F(Net, OnlyAListenerAccepts)
{
    Channel listener, ch, none;
    ASSERT_EQ(Listen(&listener, "unix:" + (folder_ / "sock")), 0);
    ASSERT_EQ(Connect(&ch, Local(listener)), 0);

    EXPECT_EQ(aiox_channel_accept(ch, none.Out(), -1), -EINVAL);
}

/* Takes all numbers below its limit away. */
class NoDescriptors
{
  public:
    NoDescriptors()
    {
        EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
        Fd next(dup(0));
        rlimit tight = before_;
        tight.rlim_cur = (rlim_t)(int)next;
        next.Close();
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    }
    ~NoDescriptors()
    {
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0);
    }

  private:
    rlimit before_;
};

TEST_F(Net, AcceptWithoutDescriptorsWaitsForOne)
{
    Channel listener, ch, accepted;
    ASSERT_EQ(Listen(&listener, "unix:" + (folder_ / "sock")), 0);
    ASSERT_EQ(Connect(&ch, Local(listener)), 0);
    int result = 1;
    auto none = std::make_unique<NoDescriptors>();
    aiox_co_enter_in(loop_,
                     Spawn([&] { result = aiox_channel_accept(listener, accepted.Out(), -1); }));
    loop_.Settle();
    EXPECT_EQ(result, 1) << "and the loop is not busy meanwhile";

    none.reset();
    loop_.RunUntil([&] { return result != 1; });

    EXPECT_EQ(result, 0);
}

TEST_F(Net, AcceptWithoutDescriptorsTellsAtTheDeadlineAndCanBeWoken)
{
    Channel listener, ch, accepted;
    ASSERT_EQ(Listen(&listener, "unix:" + (folder_ / "sock")), 0);
    ASSERT_EQ(Connect(&ch, Local(listener)), 0);
    int late = 1, woken = 1;
    {
        NoDescriptors none;
        loop_.Run([&] { late = aiox_channel_accept(listener, accepted.Out(), 0); });
        aiox_co_enter_in(loop_,
                         Spawn([&] { woken = aiox_channel_accept(listener, accepted.Out(), -1); }));
        EXPECT_TRUE(aiox_channel_wake_read(listener));
    }

    EXPECT_EQ(late, -EMFILE);
    EXPECT_EQ(woken, -ECANCELED);
}

TEST_F(Net, AFullBacklogIsWaitedOut)
{
    Channel listener;
    aiox_listen_options one = {};
    one.backlog = 1;
    ASSERT_EQ(Listen(&listener, "unix:" + (folder_ / "sock"), one), 0);
    constexpr int kMany = 10;
    int connected = 0, late = 0;
    for (int i = 0; i < kMany; i++) {
        aiox_co_enter_in(loop_, Spawn([&] {
                             Channel ch;
                             EXPECT_EQ(Connect(&ch, Local(listener)), 0);
                             connected++;
                         }));
    }
    EXPECT_LT(connected, kMany);
    loop_.Run([&] {
        Channel ch;
        aiox_socket_address to = Local(listener);
        late = aiox_channel_connect(ch.Out(), &to, 0, nullptr);
    });

    loop_.Run([&] {
        for (int i = 0; i < kMany; i++) {
            Channel ch;
            EXPECT_EQ(aiox_channel_accept(listener, ch.Out(), -1), 0);
        }
    });
    loop_.RunUntil([&] { return connected == kMany; });

    EXPECT_EQ(late, -ETIMEDOUT);
}

TEST_F(Net, VsockIsAnErrorWhereThereIsNone)
{
    Channel listener;
    aiox_socket_address at = Address("vsock:any:4294967295");
    aiox_error err = {};

    int code = aiox_channel_listen(listener.Out(), &at, nullptr, &err);

    if (code < 0) {
        EXPECT_NE(std::string(err.message).find("vsock:any:"), std::string::npos) << err.message;
    } else {
        EXPECT_EQ(Local(listener).kind, AIOX_SOCKET_VSOCK);
    }
}
} // namespace
