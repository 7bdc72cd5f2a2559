/* SPDX-License-Identifier: MIT */
/* aiox/qemu/event_notifier.h - the original names of aiox/event_notifier.h. */
#ifndef AIOX_QEMU_EVENT_NOTIFIER_H_
#define AIOX_QEMU_EVENT_NOTIFIER_H_

#include "aiox/attributes.h"
#include "aiox/event_notifier.h"

AIOX_BEGIN_DECLS

/* Kept by value in its owner. All zero is one that is not open. */
typedef struct EventNotifier {
    struct aiox_event_notifier n_;
} EventNotifier;

typedef void EventNotifierHandler(EventNotifier *notifier);

/* 0 or a negative errno; a notifier that is @active is set from the start. */
static inline int event_notifier_init(EventNotifier *notifier, int active)
{
    return aiox_event_notifier_init(&notifier->n_, active != 0);
}

static inline void event_notifier_init_fd(EventNotifier *notifier, int fd)
{
    aiox_event_notifier_init_fd(&notifier->n_, fd);
}

static inline void event_notifier_cleanup(EventNotifier *notifier)
{
    aiox_event_notifier_fini(&notifier->n_);
}

static inline int event_notifier_get_fd(const EventNotifier *notifier)
{
    return aiox_event_notifier_fd(&notifier->n_);
}

/* Cannot fail here: returns 0. */
static inline int event_notifier_set(EventNotifier *notifier)
{
    aiox_event_notifier_set(&notifier->n_);
    return 0;
}

static inline int event_notifier_test_and_clear(EventNotifier *notifier)
{
    return aiox_event_notifier_test_and_clear(&notifier->n_);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_EVENT_NOTIFIER_H_ */
