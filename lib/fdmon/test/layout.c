/* SPDX-License-Identifier: MIT */
/*
 * layout.c - the facts of whichever header it is compiled against, as LAYOUT.
 *
 * LAYOUT is layout_v1 or layout_now; for the former the frozen header has been
 * included before this line and aiox/fdmon.h adds nothing.
 */
#include "aiox/fdmon.h"

#include "layout.h"

#define SIZE(type)                                                                                 \
    {                                                                                              \
#type, sizeof(struct type)                                                                 \
    }
#define OFFSET(type, field)                                                                        \
    {                                                                                              \
#type "." #field, offsetof(struct type, field)                                             \
    }
#define NUMBER(name)                                                                               \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct layout_fact sizes[] = {
    SIZE(aiox_fdmon_event),      SIZE(aiox_fdmon_host),
    SIZE(aiox_fdmon_probe),      SIZE(aiox_fdmon_ops),
    SIZE(aiox_fdmon_option),     SIZE(aiox_fdmon_plugin),
    SIZE(aiox_fdmon_completion), SIZE(aiox_fdmon_note),
    SIZE(aiox_fdmon_elf_note_),  {NULL, 0},
};

static const struct layout_fact offsets[] = {
    OFFSET(aiox_fdmon_event, token),
    OFFSET(aiox_fdmon_event, events),
    OFFSET(aiox_fdmon_event, result),
    OFFSET(aiox_fdmon_host, size),
    OFFSET(aiox_fdmon_host, abi_major),
    OFFSET(aiox_fdmon_host, abi_minor),
    OFFSET(aiox_fdmon_host, opaque),
    OFFSET(aiox_fdmon_host, log),
    OFFSET(aiox_fdmon_host, now_ns),
    OFFSET(aiox_fdmon_host, alloc),
    OFFSET(aiox_fdmon_host, free),
    OFFSET(aiox_fdmon_host, option),
    OFFSET(aiox_fdmon_host, get_extension),
    OFFSET(aiox_fdmon_probe, size),
    OFFSET(aiox_fdmon_probe, state),
    OFFSET(aiox_fdmon_probe, cause),
    OFFSET(aiox_fdmon_probe, error),
    OFFSET(aiox_fdmon_probe, text),
    OFFSET(aiox_fdmon_probe, hint),
    OFFSET(aiox_fdmon_ops, size),
    OFFSET(aiox_fdmon_ops, reserved_),
    OFFSET(aiox_fdmon_ops, open),
    OFFSET(aiox_fdmon_ops, close),
    OFFSET(aiox_fdmon_ops, interest),
    OFFSET(aiox_fdmon_ops, collect),
    OFFSET(aiox_fdmon_ops, nudge),
    OFFSET(aiox_fdmon_ops, pending),
    OFFSET(aiox_fdmon_ops, flush),
    OFFSET(aiox_fdmon_ops, after_fork),
    OFFSET(aiox_fdmon_ops, describe),
    OFFSET(aiox_fdmon_option, name),
    OFFSET(aiox_fdmon_option, default_value),
    OFFSET(aiox_fdmon_option, help),
    OFFSET(aiox_fdmon_plugin, magic),
    OFFSET(aiox_fdmon_plugin, abi_major),
    OFFSET(aiox_fdmon_plugin, abi_minor),
    OFFSET(aiox_fdmon_plugin, size),
    OFFSET(aiox_fdmon_plugin, rank),
    OFFSET(aiox_fdmon_plugin, name),
    OFFSET(aiox_fdmon_plugin, version),
    OFFSET(aiox_fdmon_plugin, summary),
    OFFSET(aiox_fdmon_plugin, license),
    OFFSET(aiox_fdmon_plugin, caps),
    OFFSET(aiox_fdmon_plugin, needs),
    OFFSET(aiox_fdmon_plugin, ops),
    OFFSET(aiox_fdmon_plugin, options),
    OFFSET(aiox_fdmon_plugin, probe),
    OFFSET(aiox_fdmon_plugin, get_extension),
    OFFSET(aiox_fdmon_completion, size),
    OFFSET(aiox_fdmon_completion, reserved_),
    OFFSET(aiox_fdmon_completion, submit),
    OFFSET(aiox_fdmon_completion, cancel),
    OFFSET(aiox_fdmon_completion, supports),
    OFFSET(aiox_fdmon_note, magic),
    OFFSET(aiox_fdmon_note, abi_major),
    OFFSET(aiox_fdmon_note, abi_minor),
    OFFSET(aiox_fdmon_note, name),
    OFFSET(aiox_fdmon_note, version),
    OFFSET(aiox_fdmon_elf_note_, owner_bytes),
    OFFSET(aiox_fdmon_elf_note_, note_bytes),
    OFFSET(aiox_fdmon_elf_note_, type),
    OFFSET(aiox_fdmon_elf_note_, owner),
    OFFSET(aiox_fdmon_elf_note_, note),
    {NULL, 0},
};

static const struct layout_fact numbers[] = {
    NUMBER(AIOX_FD_READ),
    NUMBER(AIOX_FD_WRITE),
    NUMBER(AIOX_FD_PRI),
    NUMBER(AIOX_FD_HANGUP),
    NUMBER(AIOX_FD_ERROR),
    NUMBER(AIOX_FDMON_DRAINS),
    NUMBER(AIOX_FDMON_USABLE),
    NUMBER(AIOX_FDMON_DEGRADED),
    NUMBER(AIOX_FDMON_UNUSABLE),
    NUMBER(AIOX_FDMON_CAUSE_NONE),
    NUMBER(AIOX_FDMON_CAUSE_MISSING),
    NUMBER(AIOX_FDMON_CAUSE_DENIED),
    NUMBER(AIOX_FDMON_CAUSE_LIMIT),
    NUMBER(AIOX_FDMON_CAUSE_QUIRK),
    NUMBER(AIOX_FDMON_CAUSE_RESOURCES),
    NUMBER(AIOX_FDMON_CAUSE_OTHER),
    NUMBER(AIOX_FD_ASKABLE),
    NUMBER(AIOX_FD_ALL),
    NUMBER(AIOX_FDMON_ABI_MAJOR),
    NUMBER(AIOX_FDMON_MAGIC),
    NUMBER(AIOX_FDMON_CAP_LEVEL),
    NUMBER(AIOX_FDMON_CAP_NS_TIMEOUT),
    NUMBER(AIOX_FDMON_CAP_PRI),
    NUMBER(AIOX_FDMON_CAP_REGULAR),
    NUMBER(AIOX_FDMON_CAP_MANY_FDS),
    NUMBER(AIOX_FDMON_CAP_PENDING),
    NUMBER(AIOX_FDMON_CAP_COMPLETION),
    NUMBER(AIOX_FDMON_CAP_FORK),
    NUMBER(AIOX_FDMON_CAP_LOCKS_MEMORY),
    NUMBER(AIOX_FDMON_CAP_MUST_UNDERSTAND),
    NUMBER(AIOX_FDMON_NOTE_TYPE),
    {NULL, 0},
};

static const char *const strings[] = {
    AIOX_FDMON_ENTRY_SYMBOL,
    AIOX_FDMON_COMPLETION_ID,
    AIOX_FDMON_NOTE_OWNER,
    NULL,
};

const struct layout LAYOUT = {sizes, offsets, numbers, strings};
