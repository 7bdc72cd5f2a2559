/* SPDX-License-Identifier: MIT */
/*
 * outside.c - one descriptor for all that a loop waits for.
 *
 * An epoll(7) set of three: the loop's bell, the backend's descriptor, and an
 * alarm. The set stays the same while backends come and go, so whoever watches
 * it need not know of them. The bell is in it although the backend watches the
 * bell, too: what the loop's own thread asks for between the phases may be
 * unknown to the backend until the next turn, the bell is not.
 */
#define _GNU_SOURCE
#include "outside.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static int control(const struct outside *o, int op, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(o->set, op, fd, &e) < 0 ? -errno : 0;
}

int outside_open_(struct outside *o, int bell)
{
    int err = aiox_event_notifier_init(&o->alarm, false);

    if (err < 0) {
        return err;
    }
    o->set = epoll_create1(EPOLL_CLOEXEC);
    err = o->set < 0 ? -errno : 0;
    if (err < 0) {
        aiox_event_notifier_fini(&o->alarm);
        return err;
    }
    o->is_open = true;
    o->watched = -1;
    err = control(o, EPOLL_CTL_ADD, bell);
    if (err == 0) {
        err = control(o, EPOLL_CTL_ADD, aiox_event_notifier_fd(&o->alarm));
    }
    if (err < 0) {
        outside_close_(o);
    }
    return err;
}

void outside_close_(struct outside *o)
{
    if (o->is_open) {
        close(o->set);
        aiox_event_notifier_fini(&o->alarm);
        *o = (struct outside){0};
    }
}

int outside_watch_(struct outside *o, int fd, uint32_t file)
{
    int err;

    if (AIOX_LIKELY(o->watched == fd && o->file == file)) {
        return 0;
    }
    outside_forget_(o);
    err = control(o, EPOLL_CTL_ADD, fd);
    if (err < 0 && err != -EEXIST) {
        return err;
    }
    o->watched = fd;
    o->file = file;
    return 0;
}

void outside_forget_(struct outside *o)
{
    if (o->is_open && o->watched >= 0) {
        /* Closed meanwhile, it has left the set by itself. */
        (void)control(o, EPOLL_CTL_DEL, o->watched);
        o->watched = -1;
    }
}

void outside_alarm_(struct outside *o)
{
    if (!o->is_alarmed) {
        o->is_alarmed = true;
        aiox_event_notifier_set(&o->alarm);
    }
}

bool outside_calm_(struct outside *o)
{
    bool was_alarmed = o->is_alarmed;

    if (AIOX_UNLIKELY(was_alarmed)) {
        o->is_alarmed = false;
        (void)aiox_event_notifier_test_and_clear(&o->alarm);
    }
    return was_alarmed;
}

void outside_end_turn_(struct outside *o)
{
    o->idle_due_ns = 0;
    if (o->is_prepared) {
        outside_alarm_(o);
    }
}
