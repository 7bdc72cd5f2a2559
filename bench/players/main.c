/* SPDX-License-Identifier: MIT */
/*
 * main.c - plays one scene with one contender once.
 *
 *   players --list
 *   players SCENE EXAMPLE CONTENDER OPERATIONS            one line of JSON
 *   players --count SCENE EXAMPLE CONTENDER OPERATIONS    system calls in all
 *
 * Exit code 3: the contender does not work here; stderr says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

enum { PATIENCE_S = 60 };

static const struct scene *scene_named(const char *name)
{
    for (int i = 0; scenes[i]; i++) {
        if (strcmp(scenes[i]->name, name) == 0) {
            return scenes[i];
        }
    }
    return NULL;
}

static const struct example *example_named(const struct scene *scene, const char *name)
{
    for (int i = 0; scene && scene->examples[i].name; i++) {
        if (strcmp(scene->examples[i].name, name) == 0) {
            return &scene->examples[i];
        }
    }
    return NULL;
}

static const struct contender *contender_named(const char *name)
{
    for (int i = 0; contenders[i]; i++) {
        if (strcmp(contenders[i]->name, name) == 0) {
            return contenders[i];
        }
    }
    return NULL;
}

static void list_caveats(const struct scene *scene)
{
    const char *comma = "";

    for (int i = 0; contenders[i]; i++) {
        const char *caveat =
            scene->can(contenders[i]) && scene->caveat ? scene->caveat(contenders[i]) : NULL;
        if (caveat) {
            printf("%s\"%s\": \"%s\"", comma, contenders[i]->name, caveat);
            comma = ", ";
        }
    }
}

static void list_scene(const struct scene *scene)
{
    const char *comma = "";

    printf("{\"scene\": \"%s\", \"title\": \"%s\", \"unit\": \"%s\", \"metric\": \"%s\", "
           "\"second\": \"%s\", \"examples\": [",
           scene->name, scene->title, scene->unit, scene->metric ? scene->metric : "cpu_ns",
           scene->second ? scene->second : "");
    for (int i = 0; scene->examples[i].name; i++) {
        printf("%s\"%s\"", comma, scene->examples[i].name);
        comma = ", ";
    }
    printf("], \"contenders\": [");
    comma = "";
    for (int i = 0; contenders[i]; i++) {
        if (scene->can(contenders[i])) {
            printf("%s\"%s\"", comma, contenders[i]->name);
            comma = ", ";
        }
    }
    printf("], \"caveats\": {");
    list_caveats(scene);
    printf("}}\n");
}

static int list(void)
{
    static const char *const kinds[] = {"limit", "peer", "ours"};

    for (int i = 0; contenders[i]; i++) {
        const struct contender *c = contenders[i];
        printf(
            "{\"contender\": \"%s\", \"kind\": \"%s\", \"variant\": \"%s\", \"version\": \"%s\"}\n",
            c->name, kinds[c->kind], c->variant ? c->variant : "", c->version());
    }
    for (const struct absent *a = absentees; a->name; a++) {
        printf("{\"absent\": \"%s\", \"package\": \"%s\"}\n", a->name, a->package);
    }
    for (int i = 0; scenes[i]; i++) {
        list_scene(scenes[i]);
    }
    return 0;
}

static void print(const struct stage *stage)
{
    printf("{\"operations\": %ld, \"wall_ns\": %lld, \"cpu_ns\": %lld, \"waited_ns\": %lld",
           stage->operations, (long long)stage->wall_ns, (long long)stage->cpu_ns,
           (long long)stage->waited_ns);
    for (int i = 0; i < stage->figures; i++) {
        printf(", \"%s\": %.3f", stage->figure[i].what, stage->figure[i].value);
    }
    printf("}\n");
}

static int play(char **argv)
{
    const struct scene *scene = scene_named(argv[0]);
    struct stage stage = {
        .who = contender_named(argv[2]),
        .example = example_named(scene, argv[1]),
        .operations = strtol(argv[3], NULL, 10),
    };

    if (!scene || !stage.who || !stage.example || stage.operations <= 0 || !scene->can(stage.who)) {
        fprintf(stderr, "there is no %s %s %s; see --list\n", argv[0], argv[1], argv[2]);
        return 2;
    }
    alarm(PATIENCE_S);
    scene->play(&stage);
    tell_tracer(MARK_OPERATIONS, stage.operations);
    print(&stage);
    return 0;
}

static int count(char *self, char **argv)
{
    char *again[] = {self, argv[0], argv[1], argv[2], argv[3], NULL};
    struct count count = count_system_calls(again);

    if (count.calls < 0) {
        return 1;
    }
    printf("{\"operations\": %ld, \"system_calls\": %ld}\n", count.operations, count.calls);
    return 0;
}

int main(int argc, char **argv)
{
    registry_fill();
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        return list();
    }
    if (argc == 6 && strcmp(argv[1], "--count") == 0) {
        return count(argv[0], argv + 2);
    }
    if (argc == 5) {
        return play(argv + 1);
    }
    fputs("usage: players [--count] SCENE EXAMPLE CONTENDER OPERATIONS | --list\n", stderr);
    return 2;
}
