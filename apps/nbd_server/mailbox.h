/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - letters from any thread, opened at home of a loop.
 *
 * A letter lies inside whatever it brings: sending allocates nothing and cannot
 * fail. Letters are opened in the order in which they were sent; what the sender
 * wrote before is seen.
 */
#ifndef AIOX_NBD_MAILBOX_H_
#define AIOX_NBD_MAILBOX_H_

#include <pthread.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/list.h"

AIOX_BEGIN_DECLS

struct letter {
    struct aiox_queue_node link;
    void (*open)(struct letter *l);
};

struct mailbox {
    pthread_mutex_t lock;
    struct aiox_queue letters;
    struct aiox_bh *bell;
};

/* Letters to @b will be opened at home of @ctx. 0 or -ENOMEM. [init] */
AIOX_NODISCARD int mailbox_open(struct mailbox *b, struct aiox_context *ctx);

/* No letter is in it, none will be sent. All zero is allowed. [home] */
void mailbox_close(struct mailbox *b);

/* @l->open(@l) is called in a later turn; @l is the receiver's from now on. [any] */
void mailbox_send(struct mailbox *b, struct letter *l);

AIOX_END_DECLS

#endif /* AIOX_NBD_MAILBOX_H_ */
