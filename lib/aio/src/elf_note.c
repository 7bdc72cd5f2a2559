/* SPDX-License-Identifier: MIT */
/* elf_note.c - the facts that a backend writes into its file about itself. */
#define _GNU_SOURCE
#include "elf_file.h"

#include <string.h>

/* Notes are small; a segment of them that is larger is no backend's. */
#define NOTES_MAX 4096

static uint64_t padded(uint64_t bytes, uint64_t align)
{
    return (bytes + align - 1) & ~(align - 1);
}

static bool is_ours(const ElfW(Nhdr) * h, const char *owner)
{
    return h->n_type == AIOX_FDMON_NOTE_TYPE && h->n_namesz == sizeof(AIOX_FDMON_NOTE_OWNER) &&
           memcmp(owner, AIOX_FDMON_NOTE_OWNER, sizeof(AIOX_FDMON_NOTE_OWNER)) == 0;
}

/* Looks through one segment of @bytes. True: found, and *@out is what stands there. */
static bool find_in(const char *notes, uint64_t bytes, uint64_t align, const char *name,
                    struct aiox_fdmon_note *out)
{
    uint64_t at = 0;

    while (bytes - at >= sizeof(ElfW(Nhdr))) {
        uint64_t text, end;
        ElfW(Nhdr) h;

        memcpy(&h, notes + at, sizeof(h));
        text = padded(at + sizeof(h) + h.n_namesz, align);
        end = text + h.n_descsz;
        if (text > bytes || end > bytes) {
            return false;
        }
        if (is_ours(&h, notes + at + sizeof(h))) {
            memset(out, 0, sizeof(*out));
            memcpy(out, notes + text, h.n_descsz < sizeof(*out) ? h.n_descsz : sizeof(*out));
            out->name[sizeof(out->name) - 1] = '\0';
            out->version[sizeof(out->version) - 1] = '\0';
            if (strcmp(out->name, name) == 0) {
                return true; /* else: a file with several backends has several notes */
            }
        }
        if (padded(end, align) > bytes) {
            return false;
        }
        at = padded(end, align);
    }
    return false;
}

/* Like find_in(), of the segment @s. */
static bool find_in_segment(const struct elf_file *f, const ElfW(Phdr) * s, const char *name,
                            struct aiox_fdmon_note *out)
{
    char notes[NOTES_MAX];

    return s->p_type == PT_NOTE && s->p_filesz <= sizeof(notes) &&
           elf_read_(f, notes, s->p_offset, s->p_filesz) &&
           find_in(notes, s->p_filesz, s->p_align == 8 ? 8 : 4, name, out);
}

int elf_find_note_(const struct elf_file *f, const char *name, struct aiox_fdmon_note *out,
                   struct aiox_backend_report *r)
{
    bool found = false;

    memset(out, 0, sizeof(*out));
    for (int i = 0; !found && i < f->segment_count; i++) {
        found = find_in_segment(f, &f->segments[i], name, out);
    }
    if (!found && out->magic == 0) {
        ELF_REFUSE(r, "not a backend: no note of aiox in it");
        return report_hint_(r, "end its source with AIOX_FDMON_PLUGIN() of aiox/fdmon.h");
    }
    if (out->magic != AIOX_FDMON_MAGIC) {
        return ELF_REFUSE(r, "the note of aiox in it has a bad mark (%#x)", out->magic);
    }
    if (out->abi_major != AIOX_FDMON_ABI_MAJOR) {
        report_set_(r, AIOX_BACKEND_NOTE, AIOX_FDMON_CAUSE_OTHER, -EPROTO,
                    "made for version %u.%u of the contract, this loop has %u.%u",
                    (unsigned)out->abi_major, (unsigned)out->abi_minor, AIOX_FDMON_ABI_MAJOR,
                    AIOX_FDMON_ABI_MINOR);
        return report_hint_(r, "use the file that was built for fdmon-%u", AIOX_FDMON_ABI_MAJOR);
    }
    if (!found) {
        return ELF_REFUSE(r, "the note in it is of '%s', not of '%s'", out->name, name);
    }
    return 0;
}
