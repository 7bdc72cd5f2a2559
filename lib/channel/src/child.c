/* SPDX-License-Identifier: MIT */
/* child.c - a process that inherits what it is given, and nothing else. */
#define _GNU_SOURCE
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static int set_actions(posix_spawn_file_actions_t *actions, int input, int output, bool no_errors)
{
    int err = posix_spawn_file_actions_adddup2(actions, input, 0);

    if (err == 0) {
        err = posix_spawn_file_actions_adddup2(actions, output, 1);
    }
    if (err == 0 && no_errors) {
        err = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
    }
    if (err == 0) {
        err = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    }
    return -err;
}

static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return -posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int child_start_(pid_t *pid, const struct aiox_command *command, int input, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int err;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    err = set_actions(&actions, input, output, command->no_errors);
    if (err == 0) {
        err = set_signals(&attributes);
    }
    if (err == 0) {
        err = -posix_spawnp(pid, command->argv[0], &actions, &attributes, command->argv,
                            command->env ? command->env : environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return err;
}
