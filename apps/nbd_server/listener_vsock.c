/* SPDX-License-Identifier: MIT */
/* listener_vsock.c - sockets of virtual machines (vsock(7)). */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "listener_inside.h"
#include "text.h"

/* The number that others reach this machine by. */
static unsigned own_cid(void)
{
    int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
    unsigned cid = VMADDR_CID_ANY;

    if (fd >= 0) {
        ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid);
        close(fd);
    }
    return cid == VMADDR_CID_ANY ? VMADDR_CID_LOCAL : cid;
}

static bool split_vsock(const char *where, struct sockaddr_vm *out)
{
    const char *colon = strchr(where, ':'), *port_text = colon ? colon + 1 : where;
    unsigned long cid = VMADDR_CID_ANY, port;
    char cid_text[16] = "";

    if (colon) {
        snprintf(cid_text, sizeof(cid_text), "%.*s", (int)(colon - where), where);
        if (!text_to_number(cid_text, 0, UINT32_MAX, &cid)) {
            return false;
        }
    }
    if (!text_to_number(port_text, 0, UINT32_MAX - 1, &port)) {
        return false;
    }
    out->svm_cid = (unsigned)cid;
    out->svm_port = (unsigned)port;
    return true;
}

int listener_open_vsock(struct listener *out, const char *where, struct aiox_error *err)
{
    struct sockaddr_vm address = {.svm_family = AF_VSOCK};
    struct listener l = {.fd = -1, .kind = LISTENER_VSOCK};
    socklen_t bytes = sizeof(address);
    int error = 0;

    if (!split_vsock(where, &address)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not PORT or CID:PORT", where);
    }
    if (address.svm_port == 0) { /* any, as for TCP */
        address.svm_port = VMADDR_PORT_ANY;
    }
    l.fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l.fd < 0 || bind(l.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(l.fd, LISTENER_BACKLOG) < 0 ||
        getsockname(l.fd, (struct sockaddr *)&address, &bytes) < 0) {
        error = -errno;
        listener_close(&l);
        return aiox_error_set(err, error, "cannot listen at vsock '%s': %s", where,
                              aiox_error_text(error));
    }
    if (address.svm_cid == VMADDR_CID_ANY) {
        address.svm_cid = own_cid();
    }
    listener_name_((struct sockaddr *)&address, sizeof(address), l.address);
    *out = l;
    return 0;
}
