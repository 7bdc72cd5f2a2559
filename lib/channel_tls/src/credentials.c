/* SPDX-License-Identifier: MIT */
/* credentials.c - certificates and keys from a folder. */
#define _GNU_SOURCE
#include "credentials.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aiox/assert.h"

/* ---- life ---- */

static int new_credentials(struct aiox_tls_credentials **out, enum aiox_tls_role role,
                           struct aiox_error *err)
{
    struct aiox_tls_credentials *c = calloc(1, sizeof(*c));

    if (!c) {
        return aiox_error_set(err, -ENOMEM, "no memory for TLS credentials");
    }
    c->references = (aiox_atomic_u32)AIOX_ATOMIC_INIT(1);
    c->role = role;
    *out = c;
    return 0;
}

struct aiox_tls_credentials *aiox_tls_credentials_ref(struct aiox_tls_credentials *creds)
{
    aiox_assert(aiox_u32_add_relaxed(&creds->references, 1) > 0);
    return creds;
}

/* [TLS-unref] unref (acq_rel) -> the last unref (acq_rel): what the others did with them. */
void aiox_tls_credentials_unref(struct aiox_tls_credentials *creds)
{
    if (!creds || aiox_u32_sub_acq_rel(&creds->references, 1) != 1) { /* [TLS-unref] */
        return;
    }
    if (creds->x509) {
        gnutls_certificate_free_credentials(creds->x509);
    }
    if (creds->psk_client) {
        gnutls_psk_free_client_credentials(creds->psk_client);
    }
    if (creds->psk_server) {
        gnutls_psk_free_server_credentials(creds->psk_server);
    }
    free(creds);
}

/* ---- files ---- */

static int path_of(char path[PATH_MAX], const char *dir, const char *name, struct aiox_error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) {
        return aiox_error_set(err, -ENAMETOOLONG, "the path of the TLS credentials is too long");
    }
    return 0;
}

static int check_readable(const char *path, struct aiox_error *err)
{
    int code;

    if (access(path, R_OK) == 0) {
        return 0;
    }
    code = -errno;
    return aiox_error_set(err, code, "cannot read %.180s: %s", path, aiox_error_text(code));
}

/* The path of a file that can be read. */
static int find(char path[PATH_MAX], const char *dir, const char *name, struct aiox_error *err)
{
    int code = path_of(path, dir, name, err);

    return code < 0 ? code : check_readable(path, err);
}

static bool is_there(const char *dir, const char *name)
{
    char path[PATH_MAX];

    return path_of(path, dir, name, NULL) == 0 && access(path, F_OK) == 0;
}

static int bad_file(struct aiox_error *err, int gnutls_code, const char *path)
{
    int code = gnutls_code == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EINVAL;

    return aiox_error_set(err, code, "%.150s: %s", path, gnutls_strerror(gnutls_code));
}

/* ---- certificates ---- */

static int load_ca(struct aiox_tls_credentials *c, const char *dir, struct aiox_error *err)
{
    char path[PATH_MAX];
    int code = find(path, dir, "ca-cert.pem", err);
    int n;

    if (code < 0) {
        return code;
    }
    n = gnutls_certificate_set_x509_trust_file(c->x509, path, GNUTLS_X509_FMT_PEM);
    if (n <= 0) {
        return bad_file(err, n < 0 ? n : GNUTLS_E_NO_CERTIFICATE_FOUND, path);
    }
    c->has_ca = true;
    return 0;
}

static int load_crl(struct aiox_tls_credentials *c, const char *dir, struct aiox_error *err)
{
    char path[PATH_MAX];
    int code = find(path, dir, "ca-crl.pem", err);
    int n;

    if (code < 0) {
        return code;
    }
    n = gnutls_certificate_set_x509_crl_file(c->x509, path, GNUTLS_X509_FMT_PEM);
    return n < 0 ? bad_file(err, n, path) : 0;
}

static int load_pair(struct aiox_tls_credentials *c, const char *dir, const char *cert_name,
                     const char *key_name, struct aiox_error *err)
{
    char cert[PATH_MAX], key[PATH_MAX];
    int code = find(cert, dir, cert_name, err);
    int n;

    if (code == 0) {
        code = find(key, dir, key_name, err);
    }
    if (code < 0) {
        return code;
    }
    n = gnutls_certificate_set_x509_key_file(c->x509, cert, key, GNUTLS_X509_FMT_PEM);
    return n < 0 ? bad_file(err, n, cert) : 0;
}

static int load_x509(struct aiox_tls_credentials *c, const char *dir, struct aiox_error *err)
{
    bool is_server = c->role == AIOX_TLS_SERVER;
    int code = 0;

    if (!is_server || is_there(dir, "ca-cert.pem")) {
        code = load_ca(c, dir, err);
    }
    if (code == 0 && is_there(dir, "ca-crl.pem")) {
        code = load_crl(c, dir, err);
    }
    if (code == 0 && is_server) {
        code = load_pair(c, dir, "server-cert.pem", "server-key.pem", err);
    }
    if (code == 0 && !is_server && is_there(dir, "client-cert.pem")) {
        code = load_pair(c, dir, "client-cert.pem", "client-key.pem", err);
    }
    return code;
}

int aiox_tls_credentials_x509(struct aiox_tls_credentials **out, enum aiox_tls_role role,
                              const char *dir, struct aiox_error *err)
{
    struct aiox_tls_credentials *c = NULL;
    int code = new_credentials(&c, role, err);

    if (code < 0) {
        return code;
    }
    if (gnutls_certificate_allocate_credentials(&c->x509) < 0) {
        code = aiox_error_set(err, -ENOMEM, "no memory for certificates");
    } else {
        code = load_x509(c, dir, err);
    }
    if (code < 0) {
        aiox_tls_credentials_unref(c);
        return code;
    }
    gnutls_certificate_set_known_dh_params(c->x509, GNUTLS_SEC_PARAM_MEDIUM);
    *out = c;
    return 0;
}

/* ---- keys ---- */

/* Reads lines until that of @user; its key then stands at *@key. False: there is none. */
static bool find_user(FILE *file, const char *user, char **line, size_t *room, char **key)
{
    size_t bytes = strlen(user);

    while (getline(line, room, file) >= 0) {
        if (strncmp(*line, user, bytes) == 0 && (*line)[bytes] == ':') {
            *key = *line + bytes + 1;
            (*key)[strcspn(*key, "\r\n")] = '\0';
            return true;
        }
    }
    return false;
}

static int set_client_key(struct aiox_tls_credentials *c, FILE *file, const char *path,
                          const char *user, struct aiox_error *err)
{
    char *line = NULL, *key = NULL;
    size_t room = 0;
    int code = 0;

    if (!find_user(file, user, &line, &room, &key)) {
        code = aiox_error_set(err, -ENOKEY, "there is no user '%.60s' in %.120s", user, path);
    } else {
        gnutls_datum_t hex = {.data = (void *)key, .size = (unsigned)strlen(key)};
        int n = gnutls_psk_set_client_credentials(c->psk_client, user, &hex, GNUTLS_PSK_KEY_HEX);

        code = n < 0 ? bad_file(err, n, path) : 0;
    }
    if (line) {
        explicit_bzero(line, room);
        free(line);
    }
    return code;
}

static int load_client_key(struct aiox_tls_credentials *c, const char *path, const char *user,
                           struct aiox_error *err)
{
    FILE *file;
    int code;

    if (gnutls_psk_allocate_client_credentials(&c->psk_client) < 0) {
        return aiox_error_set(err, -ENOMEM, "no memory for a key");
    }
    file = fopen(path, "re");
    if (!file) {
        code = -errno;
        return aiox_error_set(err, code, "cannot open %.180s: %s", path, aiox_error_text(code));
    }
    setvbuf(file, NULL, _IONBF, 0); /* no copy of keys in a buffer */
    code = set_client_key(c, file, path, user, err);
    fclose(file);
    return code;
}

static int load_server_keys(struct aiox_tls_credentials *c, const char *path,
                            struct aiox_error *err)
{
    gnutls_psk_server_credentials_t keys;
    int n;

    if (gnutls_psk_allocate_server_credentials(&keys) < 0) {
        return aiox_error_set(err, -ENOMEM, "no memory for keys");
    }
    gnutls_psk_set_server_known_dh_params(keys, GNUTLS_SEC_PARAM_MEDIUM);
    n = gnutls_psk_set_server_credentials_file(keys, path);
    if (n < 0) {
        gnutls_psk_free_server_credentials(keys);
        return bad_file(err, n, path);
    }
    c->psk_server = keys;
    return 0;
}

int aiox_tls_credentials_add_psk_file(struct aiox_tls_credentials *creds, const char *path,
                                      struct aiox_error *err)
{
    int code;

    aiox_assert(creds->role == AIOX_TLS_SERVER && creds->x509 && !creds->psk_server);
    code = check_readable(path, err);
    return code < 0 ? code : load_server_keys(creds, path, err);
}

int aiox_tls_credentials_psk_file(struct aiox_tls_credentials **out, enum aiox_tls_role role,
                                  const char *path, const char *user, struct aiox_error *err)
{
    struct aiox_tls_credentials *c = NULL;
    int code;

    aiox_assert((role == AIOX_TLS_CLIENT) == (user != NULL));
    code = check_readable(path, err);
    if (code == 0) {
        code = new_credentials(&c, role, err);
    }
    if (code < 0) {
        return code;
    }
    code = user ? load_client_key(c, path, user, err) : load_server_keys(c, path, err);
    if (code < 0) {
        aiox_tls_credentials_unref(c);
        return code;
    }
    *out = c;
    return 0;
}

int aiox_tls_credentials_psk(struct aiox_tls_credentials **out, enum aiox_tls_role role,
                             const char *dir, const char *user, struct aiox_error *err)
{
    char path[PATH_MAX];
    int code = path_of(path, dir, "keys.psk", err);

    return code < 0 ? code : aiox_tls_credentials_psk_file(out, role, path, user, err);
}
