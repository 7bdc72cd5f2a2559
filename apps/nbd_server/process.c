/* SPDX-License-Identifier: MIT */
/*
 * process.c - forks, locks, users.
 */
#define _GNU_SOURCE /* F_OFD_SETLK, initgroups */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- background ---- */

/* What becomes of the parent. */
AIOX_NORETURN static void wait_for_child(pid_t child, int ready)
{
    int status = 0;
    char byte;
    ssize_t n;

    do {
        n = read(ready, &byte, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1) {
        _exit(0);
    }
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int process_detach(struct aiox_error *err)
{
    int ends[2], error;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        error = -errno;
        return aiox_error_set(err, error, "no pipe: %s", aiox_error_text(error));
    }
    child = fork();
    if (child < 0) {
        error = -errno;
        close(ends[0]);
        close(ends[1]);
        return aiox_error_set(err, error, "no process: %s", aiox_error_text(error));
    }
    if (child > 0) {
        close(ends[1]);
        wait_for_child(child, ends[0]);
    }
    close(ends[0]);
    setsid();
    return ends[1];
}

void process_detached(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int i = 0; null >= 0 && i <= 2; i++) {
        dup2(null, i);
    }
    close(null);
    (void)!write(fd, "", 1); /* a parent that is gone needs no word */
    close(fd);
}

/* ---- the file ---- */

int pid_file_open(struct pid_file *out, const char *path, struct aiox_error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct pid_file p = {.path = path};
    int error = 0;

    p.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (p.fd < 0) {
        error = -errno;
        return aiox_error_set(err, error, "cannot write '%s': %s", path, aiox_error_text(error));
    }
    if (fcntl(p.fd, F_OFD_SETLK, &lock) < 0) {
        close(p.fd);
        return aiox_error_set(err, -EEXIST, "'%s' is locked: it runs already", path);
    }
    if (ftruncate(p.fd, 0) < 0 || dprintf(p.fd, "%d\n", (int)getpid()) < 0) {
        error = -errno;
        close(p.fd);
        return aiox_error_set(err, error, "cannot write '%s': %s", path, aiox_error_text(error));
    }
    *out = p;
    return 0;
}

void pid_file_close(struct pid_file *p)
{
    if (p->fd >= 0) {
        unlink(p->path);
        close(p->fd);
    }
    p->fd = -1;
}

/* ---- rights ---- */

int process_forgo_rights(struct aiox_error *err)
{
    int error = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;

    if (error < 0) {
        aiox_error_set(err, error, "no_new_privs: %s", aiox_error_text(error));
    }
    return error;
}

/* The user and the group that @who names; *@user is a copy of the name. */
static int look_up(char *who, struct passwd **user, gid_t *group, struct aiox_error *err)
{
    char *colon = strchr(who, ':');
    const struct group *g;

    if (colon) {
        *colon = '\0';
    }
    *user = getpwnam(who);
    if (!*user) {
        return aiox_error_set(err, -ENOENT, "there is no user '%s'", who);
    }
    *group = (*user)->pw_gid;
    if (!colon) {
        return 0;
    }
    g = getgrnam(colon + 1);
    if (!g) {
        return aiox_error_set(err, -ENOENT, "there is no group '%s'", colon + 1);
    }
    *group = g->gr_gid;
    return 0;
}

int process_become(const char *who, struct aiox_error *err)
{
    char *copy = strdup(who);
    struct passwd *user = NULL;
    gid_t group = 0;
    int error =
        copy ? look_up(copy, &user, &group, err) : aiox_error_set(err, -ENOMEM, "no memory");

    if (error == 0 &&
        (initgroups(user->pw_name, group) < 0 || setgid(group) < 0 || setuid(user->pw_uid) < 0)) {
        error = -errno;
        aiox_error_set(err, error, "cannot become '%s': %s", who, aiox_error_text(error));
    }
    free(copy);
    return error;
}

/* ---- a command ---- */

extern char **environ;

/* environ and @variable; the caller frees the array. NULL: no memory. */
static char **environment_with(char *variable)
{
    size_t n = 0, to = 0;
    char **all;

    while (environ[n]) {
        n++;
    }
    all = calloc(n + 2, sizeof(*all));
    if (!all) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (strncmp(environ[i], "uri=", 4) != 0) {
            all[to++] = environ[i];
        }
    }
    all[to] = variable;
    return all;
}

static int spawn(pid_t *pid, const char *text, char **environment)
{
    char *argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)text,
                    NULL};
    posix_spawnattr_t attributes;
    sigset_t none, normal;
    int error;

    sigemptyset(&none);
    sigemptyset(&normal);
    sigaddset(&normal, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &normal);
    error = -posix_spawn(pid, "/bin/sh", NULL, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int command_start(struct command *c, const char *text, const char *uri, struct aiox_error *err)
{
    char *variable = NULL, **environment = NULL;
    int error = asprintf(&variable, "uri=%s", uri) < 0 ? -ENOMEM : 0;

    if (error == 0) {
        environment = environment_with(variable);
        error = environment ? spawn(&c->pid, text, environment) : -ENOMEM;
        free(environment);
        free(variable);
    }
    if (error < 0) {
        aiox_error_set(err, error, "cannot run the command: %s", aiox_error_text(error));
    }
    return error;
}

bool command_has_ended(struct command *c)
{
    int status;

    if (c->pid == 0 || c->ended || waitpid(c->pid, &status, WNOHANG) != c->pid) {
        return c->ended;
    }
    c->ended = true;
    c->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

void command_signal(const struct command *c, int signal)
{
    if (c->pid > 0 && !c->ended) {
        kill(c->pid, signal);
    }
}
