/* SPDX-License-Identifier: MIT */
/*
 * tiny.c - the smallest backend there can be, with a fault on demand.
 *
 * AIOX_TEST_FAULT names the fault; it is read when the loader asks for the
 * descriptor. Whoever loads the file leaves a byte in the file that
 * AIOX_TEST_MARKER names: so a test sees whether any of its code has run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aiox/fdmon.h"

#include "test/abi/blind.h"

__attribute__((constructor)) static void leave_a_mark(void)
{
    const char *path = getenv("AIOX_TEST_MARKER");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (fd >= 0) {
        while (write(fd, "x", 1) < 0 && errno == EINTR) {
        }
        close(fd);
    }
}

static bool has_fault(const char *name)
{
    const char *fault = getenv("AIOX_TEST_FAULT");

    return fault && strcmp(fault, name) == 0;
}

static int tiny_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    return has_fault("open") ? -ENOMEM : blind_open(host, out);
}

static int tiny_probe(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out)
{
    (void)host;
    if (has_fault("probe")) {
        out->state = AIOX_FDMON_UNUSABLE;
        out->cause = AIOX_FDMON_CAUSE_QUIRK;
        out->error = -EIO;
        strcpy(out->text, "the moon is full");
        strcpy(out->hint, "wait");
    }
    return 0;
}

static struct aiox_fdmon_ops ops = {
    .size = sizeof(ops),
    .open = tiny_open,
    .close = blind_close,
    .interest = blind_interest,
    .collect = blind_collect,
};

static struct aiox_fdmon_plugin descriptor = {
    .magic = AIOX_FDMON_MAGIC,
    .abi_major = AIOX_FDMON_ABI_MAJOR,
    .abi_minor = AIOX_FDMON_ABI_MINOR,
    .size = sizeof(descriptor),
    .rank = -1,
    .name = "tiny",
    .version = "0.1.0",
    .summary = "for tests",
    .license = "MIT",
    .ops = &ops,
    .probe = tiny_probe,
};

static void commit_the_fault(void)
{
    descriptor.magic ^= has_fault("magic");
    descriptor.abi_major += has_fault("major");
    descriptor.abi_minor += has_fault("minor");
    descriptor.caps |= has_fault("must-understand") ? UINT64_C(1) << 50 : 0;
    ops.collect = has_fault("collect") ? NULL : blind_collect;
    descriptor.name = has_fault("name") ? "huge" : "tiny";
    descriptor.version = has_fault("version") ? "9.9.9" : "0.1.0";
    ops.size = has_fault("short") ? 16 : sizeof(ops);
}

/* AIOX_FDMON_PLUGIN() would define the entry: here it must be asked first. */
static const struct aiox_fdmon_elf_note_ note
    __attribute__((used, aligned(4), section(".note.aiox.fdmon"))) = {
        sizeof(AIOX_FDMON_NOTE_OWNER),
        sizeof(struct aiox_fdmon_note),
        AIOX_FDMON_NOTE_TYPE,
        AIOX_FDMON_NOTE_OWNER,
        {AIOX_FDMON_MAGIC, AIOX_FDMON_ABI_MAJOR, AIOX_FDMON_ABI_MINOR, "tiny", "0.1.0"},
};

__attribute__((visibility("default"))) aiox_fdmon_entry_fn aiox_fdmon_plugin_v1;

const struct aiox_fdmon_plugin *aiox_fdmon_plugin_v1(uint32_t index)
{
    commit_the_fault();
    return index == 0 && !has_fault("empty") ? &descriptor : NULL;
}
