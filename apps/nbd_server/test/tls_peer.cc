/* SPDX-License-Identifier: MIT */
#include "tls_peer.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "golden.h"

namespace nbd_test
{
namespace
{

constexpr char kMake[] = R"(
set -e
for who in ca server client; do
    certtool --generate-privkey --key-type=ecdsa --curve=secp256r1 --outfile $who-key.pem
done
printf 'cn = %s CA\nca\ncert_signing_key\nexpiration_days = 10\n' $name >template
certtool --generate-self-signed --load-privkey ca-key.pem --template template --outfile ca.pem
for who in server client; do
    printf 'cn = %s of %s\ndns_name = localhost\nip_address = 127.0.0.1\n' $who $name >template
    printf 'tls_www_%s\nsigning_key\nexpiration_days = 10\n' $who >>template
    certtool --generate-certificate --load-privkey $who-key.pem --load-ca-certificate ca.pem \
        --load-ca-privkey ca-key.pem --template template --outfile $who-cert.pem
done
mkdir client
cp ca.pem client/ca-cert.pem
cp client-cert.pem client-key.pem client
psktool -u alice -p keys.psk
psktool -u bob -p keys.psk
)";

/* The key of @user in hexadecimal digits. */
std::string KeyOf(const std::string &path, const std::string &user)
{
    std::ifstream in(path);

    for (std::string line; std::getline(in, line);) {
        if (line.rfind(user + ":", 0) == 0) {
            return line.substr(user.size() + 1);
        }
    }
    return "";
}

} // namespace

bool Pki::IsPossible()
{
    return IsInstalled("certtool") && IsInstalled("psktool");
}

Pki::Pki(const std::string &name, bool ask)
{
    Program make("cd " + Path() + " && name=" + name + "\n" + kMake +
                 (ask ? "cp ca.pem ca-cert.pem\n" : ""));

    EXPECT_EQ(make.Wait(), 0) << make.Output();
}

/* ---- TlsPeer ---- */

/* The sockets wait long: who is told to try again has waited in vain. */
ssize_t TlsPeer::InTime(ssize_t result, const char *else_says)
{
    if (result < 0) {
        EXPECT_NE(errno, EAGAIN) << else_says;
        gnutls_transport_set_errno(session_, EIO);
    }
    return result;
}

ssize_t TlsPeer::Push(gnutls_transport_ptr_t opaque, const void *bytes, size_t n)
{
    auto *self = static_cast<TlsPeer *>(opaque);

    n = std::min({n, self->piece_, self->most_});
    if (n == 0) {
        self->peer_.ShutdownWrite();
        gnutls_transport_set_errno(self->session_, EPIPE);
        return -1;
    }
    ssize_t sent =
        self->InTime(send(self->peer_.fd(), bytes, n, MSG_NOSIGNAL), "the server does not listen");
    self->most_ -= sent > 0 && self->most_ != SIZE_MAX ? static_cast<size_t>(sent) : 0;
    return sent;
}

ssize_t TlsPeer::Pull(gnutls_transport_ptr_t opaque, void *bytes, size_t n)
{
    auto *self = static_cast<TlsPeer *>(opaque);

    return self->InTime(recv(self->peer_.fd(), bytes, n, 0), "the server does not answer");
}

void TlsPeer::Prove(const TlsWish &wish)
{
    if (!wish.user.empty()) {
        std::string hex = KeyOf(wish.key_file, wish.user);
        gnutls_datum_t key = {reinterpret_cast<unsigned char *>(hex.data()),
                              static_cast<unsigned>(hex.size())};

        EXPECT_NE(hex, "");
        gnutls_psk_allocate_client_credentials(&key_);
        gnutls_psk_set_client_credentials(key_, wish.user.c_str(), &key, GNUTLS_PSK_KEY_HEX);
        gnutls_credentials_set(session_, GNUTLS_CRD_PSK, key_);
        return;
    }
    gnutls_certificate_allocate_credentials(&certificates_);
    EXPECT_EQ(gnutls_certificate_set_x509_trust_file(certificates_, (wish.dir + "/ca.pem").c_str(),
                                                     GNUTLS_X509_FMT_PEM),
              1);
    if (!wish.show.empty()) {
        EXPECT_EQ(gnutls_certificate_set_x509_key_file(
                      certificates_, (wish.show + "/client-cert.pem").c_str(),
                      (wish.show + "/client-key.pem").c_str(), GNUTLS_X509_FMT_PEM),
                  0);
    }
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, certificates_);
    gnutls_session_set_verify_cert(session_, "localhost", 0);
}

TlsPeer::TlsPeer(const std::string &address, const TlsWish &wish)
    : peer_(address), piece_(wish.piece), most_(wish.most)
{
    std::string ack = golden::Greeting() + golden::OptionReply(5, 1);

    gnutls_init(&session_, GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT);
    EXPECT_EQ(gnutls_priority_set_direct(session_, wish.priority.c_str(), nullptr), 0);
    Prove(wish);
    gnutls_transport_set_ptr(session_, this);
    gnutls_transport_set_push_function(session_, Push);
    gnutls_transport_set_pull_function(session_, Pull);
    gnutls_handshake_set_timeout(session_, 0); /* the socket has one */
    peer_.Send(golden::ClientFlags(3) + golden::Option(5));
    if (peer_.Receive(ack.size()) != ack) {
        return;
    }
    do {
        result_ = gnutls_handshake(session_);
    } while (result_ < 0 && !gnutls_error_is_fatal(result_));
}

TlsPeer::~TlsPeer()
{
    gnutls_deinit(session_);
    if (certificates_) {
        gnutls_certificate_free_credentials(certificates_);
    }
    if (key_) {
        gnutls_psk_free_client_credentials(key_);
    }
}

bool TlsPeer::Send(const std::string &bytes)
{
    size_t at = 0;

    while (at < bytes.size()) {
        ssize_t n = gnutls_record_send(session_, bytes.data() + at, bytes.size() - at);

        if (n < 0 && gnutls_error_is_fatal(static_cast<int>(n))) {
            return false;
        }
        at += n > 0 ? static_cast<size_t>(n) : 0;
    }
    return true;
}

std::string TlsPeer::Receive(size_t bytes)
{
    std::string all(bytes, '\0');
    size_t at = 0;

    while (at < bytes) {
        ssize_t n = gnutls_record_recv(session_, &all[at], bytes - at);

        if (n == 0 || (n < 0 && gnutls_error_is_fatal(static_cast<int>(n)))) {
            end_ = static_cast<int>(n);
            break;
        }
        at += n > 0 ? static_cast<size_t>(n) : 0;
    }
    all.resize(at);
    return all;
}

std::string TlsPeer::ReceiveAll()
{
    std::string all, some;

    do {
        some = Receive(4096);
        all += some;
    } while (some.size() == 4096);
    return all;
}

bool TlsPeer::Enter()
{
    return Send(golden::Option(1)) && Receive(10).size() == 10;
}

void TlsPeer::Bye()
{
    gnutls_bye(session_, GNUTLS_SHUT_WR);
}

} // namespace nbd_test
