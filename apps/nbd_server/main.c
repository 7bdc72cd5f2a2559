/* SPDX-License-Identifier: MIT */
/*
 * main.c - options in, exit code out.
 *
 * Everything is opened first, then rights are given up, then whoever waits is
 * told that it is ready.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#include "aiox/aiox.h"
#include "aiox/atomic.h"
#include "aiox/log.h"

#include "apps/nbd_server/version.h"
#include "listener.h"
#include "loop.h"
#include "options.h"
#include "process.h"
#include "server.h"
#include "stats.h"

enum { EXIT_STOPPED = 0, EXIT_NOT_STARTED = 1, EXIT_USAGE = 2 };

/* Payloads beyond this go back to the kernel when the pool keeps them no more. */
enum { MAPPED_BYTES = 1 << 20 };

struct program {
    int argc;
    char **argv;
    struct aiox_context *ctx;
    struct options *options;    /* NULL when the server has them */
    const struct options *said; /* the same, until the first reload */
    struct server *server;
    struct stats *stats;
    struct command command;
    struct pid_file pid_file;
    char private_place[64]; /* the socket of --run, in a directory of its own; or empty */
    int passed;             /* descriptors */
    int signals;
    int detached; /* -1: in the foreground */
    int stops;
};

/* ---- words ---- */

static aiox_atomic_u32 in_background;

static void print_line(void *opaque, enum aiox_log_level level, const char *line)
{
    static const char *const words[] = {"error: ", "warning: ", "", ""};
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

    if (aiox_u32_load_relaxed(&in_background)) {
        syslog(LOG_DAEMON | priorities[level], "%s", line);
    } else {
        fprintf(stderr, "aiox-nbd: %s%s\n", words[level], line);
    }
}

static void print_uri(void *opaque, const char *uri)
{
    printf("%s\n", uri);
}

/* Keeps the first. */
static void keep_uri(void *opaque, const char *uri)
{
    char *out = opaque;

    if (*out == '\0') {
        snprintf(out, LISTENER_URI, "%s", uri);
    }
}

/* ---- places ---- */

/* With --run and no place that was said, nobody else is meant to come. */
static int choose_place(struct program *p, struct options *o, struct aiox_error *err)
{
    if (!o->run || !o->listens_by_default || p->passed > 0) {
        return 0;
    }
    if (p->private_place[0] == '\0') {
        char directory[] = "/tmp/aiox-nbd-XXXXXX";

        if (!mkdtemp(directory)) {
            return aiox_error_set(err, -errno, "no directory for a socket: %s",
                                  aiox_error_text(errno));
        }
        snprintf(p->private_place, sizeof(p->private_place), "%s/socket", directory);
    }
    o->listen[0] = (struct options_listen){.place = OPTIONS_UNIX, .where = p->private_place};
    o->listens_by_default = false;
    return 0;
}

static void remove_place(struct program *p)
{
    if (p->private_place[0]) {
        *strrchr(p->private_place, '/') = '\0';
        rmdir(p->private_place);
    }
}

/* ---- signals ---- */

static void stop(struct program *p)
{
    p->stops++;
    command_signal(&p->command, p->stops > 1 ? SIGKILL : SIGTERM);
    server_stop(p->server);
}

static void reload(struct program *p)
{
    struct options *fresh = calloc(1, sizeof(*fresh));
    struct aiox_error err;
    int error = fresh ? options_parse(fresh, p->argc, p->argv, &err)
                      : aiox_error_set(&err, -ENOMEM, "no memory");

    if (error == 0) {
        error = options_open_keys(fresh, &err);
    }
    if (error == 0) {
        error = choose_place(p, fresh, &err);
    }
    if (error < 0) {
        aiox_log(AIOX_LOG_ERROR, "not reloaded: %s", err.message);
        options_free(fresh);
        return;
    }
    server_reload(p->server, fresh);
}

static void on_signal(void *opaque)
{
    struct program *p = opaque;
    struct signalfd_siginfo info;

    if (read(p->signals, &info, sizeof(info)) != sizeof(info)) {
        return;
    }
    if (info.ssi_signo == SIGHUP) {
        reload(p);
    } else if (info.ssi_signo != SIGCHLD) {
        aiox_log(AIOX_LOG_INFO, "stopping (%s)", strsignal((int)info.ssi_signo));
        stop(p);
    } else if (command_has_ended(&p->command) && p->stops == 0) {
        p->stops++;
        server_stop(p->server);
    }
}

/* From now on these signals only arrive where they are read. */
static int open_signals(struct aiox_error *err)
{
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? aiox_error_set(err, -errno, "no signalfd: %s", aiox_error_text(errno)) : fd;
}

/* ---- the course of things ---- */

static void tell_how(const struct program *p)
{
    struct aiox_backend_info info;

    aiox_context_backend_info(p->ctx, &info);
    aiox_log(AIOX_LOG_INFO, "version %s on %s: %lu thread%s", AIOX_NBD_VERSION, info.name,
             p->said->threads, p->said->threads > 1 ? "s" : "");
    server_log_engines(p->server);
}

/* Whoever waits for it may go on. */
static int tell_ready(struct program *p, struct aiox_error *err)
{
    char uri[LISTENER_URI] = "";

    tell_how(p);
    if (p->said->run) {
        server_tell_uris(p->server, keep_uri, uri);
        return command_start(&p->command, p->said->run, uri, err);
    }
    server_tell_uris(p->server, print_uri, NULL);
    fflush(stdout);
    if (p->detached >= 0) {
        aiox_u32_store_relaxed(&in_background, 1);
        process_detached(p->detached);
    }
    return 0;
}

static int open_server(struct program *p, struct aiox_error *err)
{
    struct options *options = p->options;
    int error = options_open_keys(options, err);

    if (error == 0) {
        error = choose_place(p, options, err);
    }
    if (error < 0) {
        return error;
    }
    p->options = NULL;
    return server_new(&p->server, p->ctx, options, p->passed, err);
}

static int open_rest(struct program *p, struct aiox_error *err)
{
    const struct aiox_fd_handler handler = {.read = on_signal};
    const struct options *o = p->said;
    int error = aiox_set_fd_handler(p->ctx, p->signals, &handler, p);

    if (error < 0) {
        return aiox_error_set(err, error, "cannot watch for signals: %s", aiox_error_text(error));
    }
    if (o->stats) {
        error = stats_open(&p->stats, p->server, o->stats, AIOX_NBD_VERSION, err);
    }
    if (error == 0 && o->pid_file) {
        error = pid_file_open(&p->pid_file, o->pid_file, err);
    }
    if (error == 0 && o->user) {
        error = process_become(o->user, err);
    }
    return error < 0 ? error : tell_ready(p, err);
}

static void turn_until_over(struct program *p)
{
    while (!server_is_over(p->server) || (p->command.pid && !p->command.ended)) {
        aiox_poll(p->ctx, true);
    }
}

static int serve(struct program *p, struct aiox_error *err)
{
    int error = open_server(p, err);

    if (error < 0) {
        remove_place(p);
        return error;
    }
    error = open_rest(p, err);
    if (error < 0) {
        server_stop(p->server);
        server_stop(p->server);
    }
    turn_until_over(p);
    if (error == 0) {
        server_log_statistics(p->server);
    }
    aiox_clear_fd_handler(p->ctx, p->signals);
    stats_close(p->stats);
    server_free(p->server);
    pid_file_close(&p->pid_file);
    remove_place(p);
    return error;
}

/* Before there is any thread. */
static int prepare_process(struct program *p, struct aiox_error *err)
{
    const struct options *o = p->options;
    int error = 0;

    p->passed = listener_passed();
    if (o->user) {
        error = process_forgo_rights(err);
    }
    if (error == 0 && o->daemon) {
        error = p->detached = process_detach(err);
    }
    if (error >= 0) {
        error = p->signals = open_signals(err);
    }
    return error < 0 ? error : 0;
}

static int run(struct program *p)
{
    struct aiox_preferences wish;
    struct aiox_error err;
    int error;

    p->said = p->options;
    error = prepare_process(p, &err);

    if (error == 0) {
        loop_wish(&wish, p->said->fdmon);
        error = aiox_new_with(&p->ctx, &wish, &err);
    }
    if (error == 0) {
        error = serve(p, &err);
        aiox_context_unref(p->ctx);
    }
    if (p->signals >= 0) {
        close(p->signals);
    }
    if (error < 0) {
        fprintf(stderr, "aiox-nbd: %s\n", err.message);
        return EXIT_NOT_STARTED;
    }
    return p->command.pid ? p->command.code : EXIT_STOPPED;
}

int main(int argc, char **argv)
{
    struct program p = {
        .argc = argc,
        .argv = argv,
        .options = calloc(1, sizeof(*p.options)),
        .pid_file = {.fd = -1},
        .signals = -1,
        .detached = -1,
    };
    struct aiox_error err;
    int code = EXIT_STOPPED;

    if (!p.options || options_parse(p.options, argc, argv, &err) < 0) {
        fprintf(stderr, "aiox-nbd: %s\nTry 'aiox-nbd --help'.\n",
                p.options ? err.message : "no memory");
        code = EXIT_USAGE;
    } else if (p.options->wish == OPTIONS_HELP) {
        fputs(options_help, stdout);
    } else if (p.options->wish == OPTIONS_VERSION) {
        puts("aiox-nbd " AIOX_NBD_VERSION);
    } else {
        aiox_log_set_hook(print_line, NULL, p.options->log_level);
        mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
        code = run(&p);
    }
    options_free(p.options);
    return code;
}
