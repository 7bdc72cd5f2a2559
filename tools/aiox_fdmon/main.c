/* SPDX-License-Identifier: MIT */
/* main.c - aiox-fdmon: which backends are there, and would they work? */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"

static const char usage[] =
    "usage: aiox-fdmon [--json] COMMAND\n"
    "\n"
    "  list [--all]                  every backend, does it work here; --all: shadowed ones, too\n"
    "  info NAME|FILE [--no-exec]    what it says of itself; --no-exec: run no code of a file\n"
    "  probe [NAME]                  does it work here and now\n"
    "  doctor                        what a program would get here, and why\n"
    "\n"
    "  --json    for programs        --help    this\n"
    "\n"
    "Looks at what aiox_new() would: AIOX_FDMON, AIOX_FDMON_PATH and AIOX_FDMON_OPTS\n"
    "count. Exit code: 0 good, 1 not usable, 2 wrong usage.\n";

enum name_rule { NO_NAME, MAY_HAVE_NAME, MUST_HAVE_NAME };

static const struct command {
    const char *word;
    int (*run)(const struct arguments *args);
    enum name_rule rule;
} commands[] = {
    {"list", command_list, NO_NAME},
    {"info", command_info, MUST_HAVE_NAME},
    {"probe", command_probe, MAY_HAVE_NAME},
    {"doctor", command_doctor, NO_NAME},
};

enum { OPTION_JSON = 1, OPTION_ALL, OPTION_NO_EXEC, OPTION_HELP };

static const struct option options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"all", no_argument, NULL, OPTION_ALL},
    {"no-exec", no_argument, NULL, OPTION_NO_EXEC},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int complain(const char *what, const char *word)
{
    fprintf(stderr, "aiox-fdmon: %s%s%s%s; try --help\n", what, word ? " '" : "", word ? word : "",
            word ? "'" : "");
    return EXIT_USAGE;
}

static const struct command *find_command(const char *word)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(commands[i].word, word) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int run(int count, char **words, struct arguments *args)
{
    const struct command *command;

    if (count == 0) {
        return complain("a command is missing", NULL);
    }
    command = find_command(words[0]);
    if (!command) {
        return complain("no such command:", words[0]);
    }
    if (count == 1 && command->rule == MUST_HAVE_NAME) {
        return complain("it needs the name or the file of a backend:", words[0]);
    }
    if (count > (command->rule == NO_NAME ? 1 : 2)) {
        return complain("one word too many:", words[count - 1]);
    }
    if (args->all && command->run != command_list) {
        return complain("--all is for list, not for", words[0]);
    }
    if (args->no_exec && command->run != command_info) {
        return complain("--no-exec is for info, not for", words[0]);
    }
    args->name = count == 2 ? words[1] : NULL;
    return command->run(args);
}

int main(int argc, char **argv)
{
    struct arguments args = {.json = false};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case OPTION_JSON:
            args.json = true;
            break;
        case OPTION_ALL:
            args.all = true;
            break;
        case OPTION_NO_EXEC:
            args.no_exec = true;
            break;
        case OPTION_HELP:
            fputs(usage, stdout);
            return EXIT_GOOD;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    option = run(argc - optind, argv + optind, &args);
    if (fflush(stdout) != 0) {
        perror("aiox-fdmon: standard output");
        return EXIT_NOT_USABLE;
    }
    return option;
}
