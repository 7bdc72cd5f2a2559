/* SPDX-License-Identifier: MIT */
/* socket_address_test.cc - what is an address, what is not, and that text comes back. */
#include <cerrno>
#include <cstring>
#include <string>
#include <sys/un.h>

#include <gtest/gtest.h>

#include "aiox/socket_address.h"

namespace
{
int Parse(const std::string &text, aiox_socket_address *out)
{
    aiox_error err = {};
    int code = aiox_socket_address_parse(out, text.c_str(), &err);
    EXPECT_EQ(err.code, code) << text;
    EXPECT_EQ(err.message[0] != 0, code != 0) << "an error has words";
    return code;
}

std::string Text(const aiox_socket_address &a)
{
    char text[AIOX_SOCKET_TEXT_MAX_BYTES];
    return aiox_socket_address_print(&a, text, sizeof(text));
}

TEST(SocketAddress, ComesBackAsItWasWritten)
{
    for (const char *text :
         {"tcp:127.0.0.1:10809", "tcp:[::1]:10809", "tcp:[fe80::1%eth0]:1", "tcp:example.org:nbd",
          "tcp:*:10809", "unix:/run/x.sock", "unix:rel:ative", "unix-abstract:name", "vsock:2:1024",
          "vsock:any:1024", "fd:3"}) {
        aiox_socket_address a = {};

        EXPECT_EQ(Parse(text, &a), 0) << text;

        EXPECT_EQ(Text(a), text);
    }
}

TEST(SocketAddress, WithoutAWordIsTcp)
{
    for (const char *text : {"[::1]:10809", "localhost:10809", ":10809", "*:10809"}) {
        aiox_socket_address a = {};

        EXPECT_EQ(Parse(text, &a), 0) << text;

        EXPECT_EQ(a.kind, AIOX_SOCKET_TCP);
        EXPECT_STREQ(a.port, "10809");
    }
}

TEST(SocketAddress, ThatIsNoneIsAnErrorAndNothingIsWritten)
{
    for (const char *text :
         {"", "host", "tcp:", "tcp:host", "tcp:host:", "tcp:::1:80", "tcp:[::1]", "tcp:[::1]80",
          "tcp:[::1", "unix:", "unix-abstract:", "vsock:1", "vsock:x:1",
          "vsock:1:", "vsock:4294967296:1", "fd:", "fd:-1", "fd:2147483648", "fd:3x"}) {
        aiox_socket_address a = {};

        EXPECT_EQ(Parse(text, &a), -EINVAL) << text;

        EXPECT_EQ(a.kind, AIOX_SOCKET_NOWHERE);
    }
}

TEST(SocketAddress, ThatIsTooLongIsAnErrorOfItsOwn)
{
    aiox_socket_address a = {};

    EXPECT_EQ(Parse("unix:" + std::string(107, 'x'), &a), 0);
    EXPECT_EQ(Parse("unix:" + std::string(108, 'x'), &a), -ENAMETOOLONG);
    EXPECT_EQ(Parse("tcp:" + std::string(254, 'x') + ":1", &a), -ENAMETOOLONG);
    EXPECT_EQ(Parse("tcp:x:" + std::string(32, '1'), &a), -ENAMETOOLONG);
}

TEST(SocketAddress, IsCutWhereThereIsNoRoom)
{
    aiox_socket_address a = {};
    char text[8];
    EXPECT_EQ(Parse("unix:/run/x", &a), 0);

    EXPECT_STREQ(aiox_socket_address_print(&a, text, sizeof(text)), "unix:/r");
}

TEST(SocketAddress, OfTheSystemIsUnderstood)
{
    sockaddr_un sun = {};
    sun.sun_family = AF_UNIX;
    std::memset(sun.sun_path, 'p', sizeof(sun.sun_path)); /* the longest has no 0 */
    aiox_socket_address a = {};
    auto *sa = reinterpret_cast<sockaddr *>(&sun);

    EXPECT_EQ(aiox_socket_address_from_sockaddr(&a, sa, sizeof(sun)), -ENAMETOOLONG);
    EXPECT_EQ(aiox_socket_address_from_sockaddr(&a, sa, sizeof(sun) - 1), 0);
    EXPECT_EQ(std::strlen(a.path), 107u);
    EXPECT_EQ(aiox_socket_address_from_sockaddr(&a, sa, 2), 0);
    EXPECT_EQ(Text(a), "unix:") << "it has no name";
    sun.sun_path[0] = 0;
    EXPECT_EQ(aiox_socket_address_from_sockaddr(&a, sa, 5), 0);
    EXPECT_EQ(Text(a), "unix-abstract:pp");
}

TEST(SocketAddress, OfAnotherWorldIsAnError)
{
    sockaddr sa = {};
    aiox_socket_address a = {};
    sa.sa_family = AF_UNSPEC;

    EXPECT_EQ(aiox_socket_address_from_sockaddr(&a, &sa, sizeof(sa)), -EAFNOSUPPORT);
    EXPECT_EQ(aiox_socket_address_from_sockaddr(&a, &sa, 0), -EINVAL);
    sa.sa_family = AF_INET6;
    EXPECT_EQ(aiox_socket_address_from_sockaddr(&a, &sa, sizeof(sa)), -EINVAL) << "it is cut";
}
} // namespace
