/* SPDX-License-Identifier: MIT */
/* files.c - 4 KiB reads at random places of a file: FIRST at a time, SECOND with O_DIRECT. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenes.h"
#include "scratch.h"

enum { BYTES = 4096, PLACES = 8192, MOST_READS = 128 };

struct library {
    const struct file_ops *ops;
    void *file;
    long left, done;
    uint64_t seed;
};

struct reader {
    struct library *library;
    void *buffer, *read;
};

static bool has_files(const struct contender *who)
{
    return who->file;
}

static void read_somewhere(struct reader *r)
{
    struct library *l = r->library;

    l->left--;
    l->ops->read_at(l->file, r->read, (int64_t)(scratch_number(&l->seed) % PLACES) * BYTES);
}

static void done(void *opaque)
{
    struct reader *r = opaque;

    r->library->done++;
    if (r->library->left > 0) {
        read_somewhere(r);
    }
}

static void read_all(struct library *l, struct reader *readers, long depth, long total)
{
    long goal = l->done + total;

    l->left = total;
    for (long i = 0; i < depth && l->left > 0; i++) {
        read_somewhere(&readers[i]);
    }
    while (l->done < goal) {
        l->ops->turn(l->file);
    }
}

static void play_files(struct stage *stage)
{
    long depth = stage_example(stage)->first;
    struct library l = {.ops = stage_contender(stage)->file, .seed = SCRATCH_SEED};
    struct reader readers[MOST_READS];
    const char *why = "it did not say why";
    int fd = scratch_file((size_t)PLACES * BYTES, stage_example(stage)->second);

    if (fd < 0) {
        stage_unusable(stage, "there is no O_DIRECT in the folder for temporary files");
    }
    l.file = l.ops->open(stage_contender(stage), fd, &why);
    if (!l.file) {
        stage_unusable(stage, why);
    }
    for (long i = 0; i < depth; i++) {
        struct reader *r = &readers[i];
        r->library = &l;
        r->buffer = aligned_alloc(BYTES, BYTES);
        must(r->buffer);
        r->read = l.ops->read_new(l.file, r->buffer, BYTES, done, r);
    }
    read_all(&l, readers, depth, depth);
    stage_begin(stage);
    read_all(&l, readers, depth, stage_operations(stage));
    stage_end(stage);
    for (long i = 0; i < depth; i++) {
        l.ops->read_free(l.file, readers[i].read);
        free(readers[i].buffer);
    }
    l.ops->close(l.file);
    close(fd);
}

static const struct example files_examples[] = {
    {"cached/1", 1, 0},   {"cached/32", 32, 0},   {"cached/128", 128, 0}, {"direct/1", 1, 1},
    {"direct/32", 32, 1}, {"direct/128", 128, 1}, {NULL, 0, 0},
};

const struct scene files_scene = {
    .name = "files",
    .title = "reads of 4 KiB from a file in the page cache or with O_DIRECT: so many at a time",
    .unit = "read",
    .examples = files_examples,
    .can = has_files,
    .play = play_files,
};
