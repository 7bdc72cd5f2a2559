/* SPDX-License-Identifier: MIT */
/*
 * elf_file.h - an open ELF file and what its program headers promise.
 *
 * Addresses are those of the file, before the loader moves it.
 */
#ifndef AIOX_AIO_SRC_ELF_FILE_H_
#define AIOX_AIO_SRC_ELF_FILE_H_

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"

#include "report.h"

#define ELF_SEGMENTS_MAX 64

struct elf_file {
    int fd;
    uint64_t bytes;
    ElfW(Ehdr) head;
    ElfW(Phdr) segments[ELF_SEGMENTS_MAX];
    int segment_count;
};

/* Ends the judgement: this is no file that can be loaded. */
#define ELF_REFUSE(r, ...)                                                                         \
    report_set_((r), AIOX_BACKEND_NOTE, AIOX_FDMON_CAUSE_OTHER, -ENOEXEC, __VA_ARGS__)

/* True if @count bytes from @offset lie in the file. */
bool elf_holds_(const struct elf_file *f, uint64_t offset, uint64_t count);

/* Reads @count bytes at @offset. False: they are not there. */
bool elf_read_(const struct elf_file *f, void *out, uint64_t offset, size_t count);

/* The loadable segment whose bytes of the file cover @count bytes from @address, or NULL. */
const ElfW(Phdr) * elf_covering_(const struct elf_file *f, uint64_t address, uint64_t count);

/* Reads @count bytes at @address. False: not in the file. */
bool elf_read_at_(const struct elf_file *f, void *out, uint64_t address, size_t count);

/* Reads and judges the headers, the sections and the segments. [elf_file.c] */
AIOX_NODISCARD int elf_load_headers_(struct elf_file *f, struct aiox_backend_report *r);

/* Judges what the dynamic loader will follow. [elf_dynamic.c] */
AIOX_NODISCARD int elf_check_dynamic_(const struct elf_file *f, struct aiox_backend_report *r);

/* Finds our note for @name. [elf_note.c] */
AIOX_NODISCARD int elf_find_note_(const struct elf_file *f, const char *name,
                                  struct aiox_fdmon_note *out, struct aiox_backend_report *r);

#endif /* AIOX_AIO_SRC_ELF_FILE_H_ */
