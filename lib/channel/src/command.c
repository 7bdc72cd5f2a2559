/* SPDX-License-Identifier: MIT */
/*
 * command.c - a child process with a pipe to it and a pipe from it.
 *
 * A pidfd tells of its end, so no signal is needed; it also names the child for
 * sure, which a process id does not once the child is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/channel_command.h"
#include "aiox/channel_file.h"

#include "child.h"
#include "descriptor.h"
#include "trace.h"

struct command {
    struct aiox_channel base;
    struct aiox_channel *input;  /* of the child: written here; NULL: none */
    struct aiox_channel *output; /* of the child: read here; NULL: none */
    struct descriptor end;       /* the pidfd */
    pid_t pid;
    pthread_mutex_t lock; /* guards what follows */
    bool has_ended;       /* its status was taken */
    int status;
};

static struct command *self_of(struct aiox_channel *ch)
{
    return AIOX_CONTAINER_OF(ch, struct command, base);
}

/* ---- operations ---- */

static ssize_t read_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct command *c = self_of(ch);
    ssize_t n = c->output ? aiox_channel_try_read(c->output, io) : 0;

    return n == -EBADF ? 0 : n; /* shut down */
}

static ssize_t write_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct command *c = self_of(ch);
    ssize_t n = c->input ? aiox_channel_try_write(c->input, io) : -EPIPE;

    return n == -EBADF ? -EPIPE : n; /* shut down */
}

/* The two directions are two descriptors: one can be waited for at a time. */
static int wait_for(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    struct command *c = self_of(ch);
    struct aiox_channel *pipe = events == AIOX_FD_READ ? c->output : c->input;
    int seen;

    aiox_assert(events == AIOX_FD_READ || events == AIOX_FD_WRITE);
    if (!pipe) {
        return (int)events;
    }
    seen = aiox_channel_wait(pipe, events, deadline_ns);
    return seen == -EBADF ? (int)events : seen; /* shut down: a try does not wait */
}

static bool wake(struct aiox_channel *ch, uint32_t event)
{
    struct command *c = self_of(ch);

    if (event == AIOX_FD_READ) {
        return c->output && aiox_channel_wake_read(c->output);
    }
    return c->input && aiox_channel_wake_write(c->input);
}

static int shut(struct aiox_channel *ch, enum aiox_channel_direction what)
{
    struct command *c = self_of(ch);
    int write_err = 0, read_err = 0;

    if (c->input && what != AIOX_CHANNEL_READING) {
        write_err = aiox_channel_close(c->input);
    }
    if (c->output && what != AIOX_CHANNEL_WRITING) {
        read_err = aiox_channel_close(c->output);
    }
    return write_err < 0 ? write_err : read_err;
}

static void set_follow(struct aiox_channel *ch, bool follow)
{
    struct command *c = self_of(ch);

    if (c->input) {
        aiox_channel_set_follow_coroutine_ctx(c->input, follow);
    }
    if (c->output) {
        aiox_channel_set_follow_coroutine_ctx(c->output, follow);
    }
}

static void set_external(struct aiox_channel *ch, bool external)
{
    struct command *c = self_of(ch);

    if (c->input) {
        aiox_channel_set_external(c->input, external);
    }
    if (c->output) {
        aiox_channel_set_external(c->output, external);
    }
}

static void end_waits(struct aiox_channel *ch)
{
    (void)shut(ch, AIOX_CHANNEL_BOTH);
    descriptor_end_waits_(&self_of(ch)->end);
}

/* ---- the end of the child ---- */

/* Takes the exit status. @flags: WNOHANG, then -EAGAIN if it has not ended. */
static int reap(struct command *c, int flags)
{
    pid_t pid = 0;
    int err = 0;

    pthread_mutex_lock(&c->lock);
    if (!c->has_ended) {
        do {
            pid = waitpid(c->pid, &c->status, flags);
        } while (pid < 0 && errno == EINTR);
        err = pid < 0 ? -errno : 0;
        c->has_ended = pid == c->pid;
        if (pid == 0) {
            err = -EAGAIN;
        } else if (c->has_ended) {
            AIOX_TRACE(channel, child_end, pid, c->status);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return err;
}

static int signal_child(struct command *c, int signal)
{
    return syscall(SYS_pidfd_send_signal, c->end.fd, signal, NULL, 0) < 0 ? -errno : 0;
}

static int close_command(struct aiox_channel *ch)
{
    struct command *c = self_of(ch);
    int err = shut(ch, AIOX_CHANNEL_BOTH);

    if (!c->has_ended) {
        (void)signal_child(c, SIGKILL);
        (void)reap(c, 0); /* a killed child ends soon */
    }
    (void)descriptor_close_(&c->end);
    return err;
}

static void free_command(struct aiox_channel *ch)
{
    struct command *c = self_of(ch);

    aiox_channel_unref(c->input);
    aiox_channel_unref(c->output);
    descriptor_fini_(&c->end);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static const struct aiox_channel_ops ops = {
    .kind = "command",
    .read = read_once,
    .write = write_once,
    .wait = wait_for,
    .wake = wake,
    .end_waits = end_waits,
    .shutdown = shut,
    .close = close_command,
    .free = free_command,
    .set_follow = set_follow,
    .set_external = set_external,
};

/* ---- birth ---- */

/* What the program holds of a pipe, and the number of what the child will have. */
struct end {
    struct aiox_channel *ours; /* NULL: /dev/null is the other */
    int theirs;
};

static void close_end(struct end *e)
{
    aiox_channel_unref(e->ours);
    if (e->theirs >= 0) {
        close(e->theirs);
    }
    *e = (struct end){.theirs = -1};
}

/* Above 2, so that no dup2 for the child overwrites what a later one needs. */
static int lift(int *fd)
{
    int above = fcntl(*fd, F_DUPFD_CLOEXEC, 3);

    if (above < 0) {
        return -errno;
    }
    close(*fd);
    *fd = above;
    return 0;
}

/* @ours: 0 to read what the child writes, 1 to write what it reads. */
static int open_end(struct end *e, int ours, bool is_null)
{
    int fd[2];
    int err;

    if (is_null) {
        e->theirs = open("/dev/null", O_RDWR | O_CLOEXEC);
        return e->theirs < 0 ? -errno : lift(&e->theirs);
    }
    if (pipe2(fd, O_CLOEXEC) < 0) {
        return -errno;
    }
    e->theirs = fd[1 - ours];
    err = aiox_channel_file_new(&e->ours, fd[ours]);
    if (err < 0) {
        close(fd[ours]);
        return err;
    }
    return lift(&e->theirs);
}

/* Starts the child; one that could not be watched is ended. */
static int start(struct command *c, const struct aiox_command *command, int input, int output)
{
    int err = child_start_(&c->pid, command, input, output);

    if (err < 0) {
        return err;
    }
    c->end.fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    if (c->end.fd < 0) {
        err = -errno;
        (void)kill(c->pid, SIGKILL); /* not reaped, so the number is still its own */
        (void)reap(c, 0);
    } else {
        AIOX_TRACE(channel, child, c->pid, c->end.fd);
    }
    return err;
}

static int open_and_start(struct command *c, const struct aiox_command *command)
{
    struct end input = {.theirs = -1}, output = {.theirs = -1};
    int err = open_end(&input, 1, command->no_input);

    if (err == 0) {
        err = open_end(&output, 0, command->no_output);
    }
    if (err == 0) {
        err = start(c, command, input.theirs, output.theirs);
    }
    if (err == 0) {
        c->input = input.ours;
        c->output = output.ours;
        input.ours = NULL;
        output.ours = NULL;
    }
    close_end(&input);
    close_end(&output);
    return err;
}

int aiox_channel_command_new(struct aiox_channel **out, const struct aiox_command *command,
                             struct aiox_error *err)
{
    struct command *c = calloc(1, sizeof(*c));
    int code;

    aiox_assert(command->argv && command->argv[0]);
    if (!c) {
        return aiox_error_set(err, -ENOMEM, "no memory for a command");
    }
    aiox_channel_init(&c->base, &ops, AIOX_CHANNEL_SHUTDOWN);
    descriptor_init_(&c->end, -1);
    pthread_mutex_init(&c->lock, NULL);
    code = open_and_start(c, command);
    if (code < 0) {
        free_command(&c->base);
        return aiox_error_set(err, code, "cannot run '%.150s': %s", command->argv[0],
                              aiox_error_text(code));
    }
    *out = &c->base;
    return 0;
}

/* ---- the child ---- */

static struct command *command_of(struct aiox_channel *ch)
{
    aiox_assert(ch->ops_ == &ops);
    return self_of(ch);
}

static int wait_for_end(struct command *c, int *status, int64_t deadline_ns)
{
    int err = reap(c, WNOHANG);

    if (err == -EAGAIN) {
        int events = descriptor_wait_(&c->end, c->base.follows_, AIOX_FD_READ, deadline_ns);

        err = events < 0 ? events : reap(c, 0);
    }
    if (err == 0) {
        *status = c->status;
    }
    return err;
}

int aiox_channel_command_wait(struct aiox_channel *ch, int *status, int64_t deadline_ns)
{
    struct command *c = command_of(ch);
    int err;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    err = wait_for_end(c, status, deadline_ns);
    aiox_channel_leave(ch);
    return err;
}

int aiox_channel_command_kill(struct aiox_channel *ch, int signal)
{
    struct command *c = command_of(ch);
    int err;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    err = signal_child(c, signal);
    aiox_channel_leave(ch);
    return err;
}

pid_t aiox_channel_command_pid(struct aiox_channel *ch)
{
    return command_of(ch)->pid;
}
