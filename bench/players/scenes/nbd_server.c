/* SPDX-License-Identifier: MIT */
/* nbd_server.c - see nbd_server.h. A server is stopped by its number. */
#define _GNU_SOURCE
#include "nbd_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

enum {
    BACKLOG = 1024,
    THE_LISTENER = 3, /* where systemd puts it, and where servers look for it */
    THE_FILE = 4,
};

typedef void serve_fn(const struct contender *who, const char *path);

/* In the child. The parent's end is this one's end, however it comes. */
static void become_server(const struct contender *who, serve_fn *serve, int listener, int file,
                          pid_t parent)
{
    char number[16], path[32];
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent);
    must(dup2(nowhere, STDOUT_FILENO) == STDOUT_FILENO);
    listener = fcntl(listener, F_DUPFD, THE_FILE + 1);
    file = fcntl(file, F_DUPFD, THE_FILE + 1);
    must(dup2(listener, THE_LISTENER) == THE_LISTENER && dup2(file, THE_FILE) == THE_FILE);
    close(listener);
    close(file);
    snprintf(number, sizeof(number), "%d", (int)getpid());
    snprintf(path, sizeof(path), "/proc/self/fd/%d", THE_FILE);
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDS", "1", 1);
    serve(who, path);
    _exit(127);
}

/* A name of the kernel's choice in no folder. */
static int listen_somewhere(struct nbd_server *s)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    s->address.sun_family = AF_UNIX;
    s->address_size = sizeof(s->address);
    must(listener >= 0);
    must(bind(listener, (struct sockaddr *)&s->address, sizeof(s->address.sun_family)) == 0);
    must(getsockname(listener, (struct sockaddr *)&s->address, &s->address_size) == 0);
    must(listen(listener, BACKLOG) == 0);
    return listener;
}

struct nbd_server nbd_server_start(struct stage *stage, size_t bytes, bool is_direct)
{
    const struct contender *who = stage_contender(stage);
    serve_fn *serve = is_direct ? who->nbd->serve_direct : who->nbd->serve;
    const char *why = "it did not say why";
    struct nbd_server s = {0};
    pid_t self = getpid();

    if (!who->nbd->is_here(who, &why)) {
        stage_unusable(stage, why);
    }
    if (!serve) {
        stage_unusable(stage, "it cannot open a file with O_DIRECT");
    }
    int file = scratch_file(bytes, is_direct);
    if (file < 0) {
        stage_unusable(stage, "there is no O_DIRECT in the folder for temporary files");
    }
    int listener = listen_somewhere(&s);
    s.pid = fork();
    must(s.pid >= 0);
    if (s.pid == 0) {
        become_server(who, serve, listener, file, self);
    }
    close(listener);
    close(file);
    must(clock_getcpuclockid(s.pid, &s.clock) == 0);
    return s;
}

void nbd_server_stop(const struct nbd_server *server)
{
    int status;

    must(kill(server->pid, SIGTERM) == 0);
    must(waitpid(server->pid, &status, 0) == server->pid);
}

double nbd_server_cpu_us(const struct nbd_server *server)
{
    struct timespec t;

    must(clock_gettime(server->clock, &t) == 0);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double nbd_server_resident_bytes(const struct nbd_server *server)
{
    char name[64];
    long pages = 0;

    snprintf(name, sizeof(name), "/proc/%d/statm", (int)server->pid);
    FILE *f = fopen(name, "r");
    must(f && fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}
