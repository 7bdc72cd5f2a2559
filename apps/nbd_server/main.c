/* SPDX-License-Identifier: MIT */
/*
 * main.c - options in, exit code out.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "aiox/aiox.h"
#include "aiox/log.h"

#include "apps/nbd_server/version.h"
#include "options.h"
#include "server.h"

enum { EXIT_STOPPED = 0, EXIT_NOT_STARTED = 1, EXIT_USAGE = 2 };

/* Payloads beyond this go back to the kernel when the pool keeps them no more. */
enum { MAPPED_BYTES = 1 << 20 };

static void print_line(void *opaque, enum aiox_log_level level, const char *line)
{
    static const char *const words[] = {"error: ", "warning: ", "", ""};

    fprintf(stderr, "aiox-nbd: %s%s\n", words[level], line);
}

static void print_uri(void *opaque, const char *uri)
{
    printf("%s\n", uri);
}

/* ---- signals ---- */

struct stop_signals {
    struct server *server;
    int fd;
};

static void on_signal(void *opaque)
{
    struct stop_signals *signals = opaque;
    struct signalfd_siginfo info;

    if (read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
        aiox_log(AIOX_LOG_INFO, "stopping (%s)", strsignal((int)info.ssi_signo));
        server_stop(signals->server);
    }
}

/* From now on the stop signals only arrive where they are read. */
static int open_signals(void)
{
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* ---- the course of things ---- */

static void tell_how(struct aiox_context *ctx)
{
    struct aiox_backend_info info;

    aiox_context_backend_info(ctx, &info);
    aiox_log(AIOX_LOG_INFO, "version %s on %s: %s", AIOX_NBD_VERSION, info.name,
             export_file_uses_requests(ctx)
                 ? "files are read and written by requests to the kernel"
                 : "reading and writing files may block the loop (io_uring would not)");
}

static int serve(struct aiox_context *ctx, const struct options *options, struct aiox_error *err)
{
    const struct aiox_fd_handler handler = {.read = on_signal};
    struct stop_signals signals = {.fd = open_signals()};
    int error = signals.fd;

    if (error < 0) {
        return aiox_error_set(err, error, "no signalfd: %s", aiox_error_text(error));
    }
    error = server_new(&signals.server, ctx, options, err);
    if (error < 0) {
        goto out;
    }
    error = aiox_set_fd_handler(ctx, signals.fd, &handler, &signals);
    if (error < 0) {
        aiox_error_set(err, error, "cannot watch for signals: %s", aiox_error_text(error));
        goto out;
    }
    tell_how(ctx);
    server_tell_uris(signals.server, print_uri, NULL);
    fflush(stdout);
    while (!server_is_over(signals.server)) {
        aiox_poll(ctx, true);
    }
    server_log_statistics(signals.server);
    aiox_clear_fd_handler(ctx, signals.fd);
out:
    server_free(signals.server);
    close(signals.fd);
    return error;
}

/* --fdmon says which backend; where plugins are is still said by the environment. */
static int open_context(struct aiox_context **out, const char *fdmon, struct aiox_error *err)
{
    struct aiox_preferences wish = {.backend = fdmon, .is_pinned = true};
    struct aiox_choice choice;

    if (!fdmon) {
        return aiox_new(out, err);
    }
    aiox_choice_get(&choice, NULL);
    wish.path = choice.sources.path;
    wish.options = choice.sources.options;
    return aiox_new_with(out, &wish, err);
}

static int run(const struct options *options)
{
    struct aiox_context *ctx;
    struct aiox_error err;
    int error = open_context(&ctx, options->fdmon, &err);

    if (error == 0) {
        error = serve(ctx, options, &err);
        aiox_context_unref(ctx);
    }
    if (error < 0) {
        fprintf(stderr, "aiox-nbd: %s\n", err.message);
        return EXIT_NOT_STARTED;
    }
    return EXIT_STOPPED;
}

int main(int argc, char **argv)
{
    struct options options;
    struct aiox_error err;
    int code = EXIT_STOPPED;

    if (options_parse(&options, argc, argv, &err) < 0) {
        fprintf(stderr, "aiox-nbd: %s\nTry 'aiox-nbd --help'.\n", err.message);
        code = EXIT_USAGE;
    } else if (options.wish == OPTIONS_HELP) {
        fputs(options_help, stdout);
    } else if (options.wish == OPTIONS_VERSION) {
        puts("aiox-nbd " AIOX_NBD_VERSION);
    } else {
        aiox_log_set_hook(print_line, NULL, options.log_level);
        mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
        code = run(&options);
    }
    options_fini(&options);
    return code;
}
