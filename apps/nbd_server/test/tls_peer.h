/* SPDX-License-Identifier: MIT */
/*
 * tls_peer.h - certificates and keys, and a client that speaks TLS. Written with
 * GnuTLS itself, not with the code that is tested.
 */
#ifndef AIOX_NBD_TEST_TLS_PEER_H_
#define AIOX_NBD_TEST_TLS_PEER_H_

#include <gnutls/gnutls.h>

#include <cstddef>
#include <string>

#include "server_process.h"

namespace nbd_test
{

/* A folder with what a server and a client of @name need, by certtool(1) and psktool(1). */
class Pki
{
  public:
    /* @ask: the server finds a ca-cert.pem, and so asks clients for certificates. */
    explicit Pki(const std::string &name, bool ask = true);

    std::string Path(const std::string &name = "") const
    {
        return directory_.Path(name);
    }
    /* False: the programs are not installed. */
    static bool IsPossible();

  private:
    Directory directory_;
};

/* What a client is to be like. */
struct TlsWish {
    std::string priority = "NORMAL:+ECDHE-PSK:+DHE-PSK";
    std::string user, key_file; /* by key */
    std::string dir;            /* by certificate: whose CA is believed */
    std::string show;           /* and a folder with the client's own; empty: it has none */
    size_t piece = SIZE_MAX;    /* so many bytes at once are sent */
    size_t most = SIZE_MAX;     /* and so many in all: then the line is cut */
};

/* TLS over a connection. Reads and writes wait, as those of Peer. */
class TlsPeer
{
  public:
    /* Greets in the clear and says STARTTLS; shakes hands. */
    TlsPeer(const std::string &address, const TlsWish &wish);
    ~TlsPeer();
    TlsPeer(const TlsPeer &) = delete;
    TlsPeer &operator=(const TlsPeer &) = delete;

    /* The handshake has ended well, as far as this side knows. */
    bool IsSecure() const
    {
        return result_ == 0;
    }
    bool Send(const std::string &bytes);
    std::string Receive(size_t bytes);
    std::string ReceiveAll();
    /* The default export by EXPORT_NAME. */
    bool Enter();
    /* Says farewell; goes on to read. */
    void Bye();
    /* What the last read ended with: 0 is a farewell, less an error of GnuTLS. */
    int end() const
    {
        return end_;
    }
    Peer &peer()
    {
        return peer_;
    }

  private:
    static ssize_t Push(gnutls_transport_ptr_t opaque, const void *bytes, size_t n);
    static ssize_t Pull(gnutls_transport_ptr_t opaque, void *bytes, size_t n);
    ssize_t InTime(ssize_t result, const char *else_says);
    void Prove(const TlsWish &wish);

    Peer peer_;
    gnutls_session_t session_ = nullptr;
    gnutls_certificate_credentials_t certificates_ = nullptr;
    gnutls_psk_client_credentials_t key_ = nullptr;
    size_t piece_, most_;
    int result_ = -1, end_ = 0;
};

} // namespace nbd_test

#endif /* AIOX_NBD_TEST_TLS_PEER_H_ */
