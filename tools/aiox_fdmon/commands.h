/* SPDX-License-Identifier: MIT */
/*
 * commands.h - what aiox-fdmon can do.
 */
#ifndef TOOLS_AIOX_FDMON_COMMANDS_H_
#define TOOLS_AIOX_FDMON_COMMANDS_H_

#include <stdbool.h>

enum exit_code {
    EXIT_GOOD = 0,
    EXIT_NOT_USABLE = 1,
    EXIT_USAGE = 2,
};

struct arguments {
    bool json;
    bool all;     /* list: shadowed ones, too */
    bool no_exec; /* info: run no code of a file */
    const char *name;
};

/* Each prints to stdout and returns an exit code. */
int command_list(const struct arguments *args);
int command_info(const struct arguments *args);
int command_probe(const struct arguments *args);
int command_doctor(const struct arguments *args);

#endif /* TOOLS_AIOX_FDMON_COMMANDS_H_ */
