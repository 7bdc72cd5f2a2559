/* SPDX-License-Identifier: MIT */
/*
 * elf_dynamic.c - what the dynamic loader will follow without looking.
 *
 * Tables are checked as ranges: each must lie in the bytes of one loadable
 * segment. Relocations are gone through one by one: each must change writable
 * memory and name a symbol of the table.
 */
#define _GNU_SOURCE
#include "elf_file.h"

#include <string.h>

/* A dynamic section that is longer is no backend's. */
#define ENTRIES_MAX 512

/* DT_ numbers that are looked at lie below; those of the GNU range are kept apart. */
#define TAGS 40

#if __ELF_NATIVE_CLASS == 64
#define SYMBOL_OF(info) ELF64_R_SYM(info)
#else
#define SYMBOL_OF(info) ELF32_R_SYM(info)
#endif

/* Not in every elf.h. */
#define TAG_RELRSZ 35
#define TAG_RELR 36

struct dynamic {
    uint64_t value[TAGS];
    bool has[TAGS];
    uint64_t gnu_hash, versym, verneed, verdef; /* addresses; 0: none */
    uint64_t needed_max;                        /* largest offset into the strings */
    bool text_relocations;
};

static void note_entry(struct dynamic *d, const ElfW(Dyn) * e)
{
    uint64_t value = e->d_un.d_val;

    switch (e->d_tag) {
    case DT_GNU_HASH:
        d->gnu_hash = value;
        return;
    case DT_VERSYM:
        d->versym = value;
        return;
    case DT_VERNEED:
        d->verneed = value;
        return;
    case DT_VERDEF:
        d->verdef = value;
        return;
    case DT_NEEDED:
    case DT_SONAME:
    case DT_RPATH:
    case DT_RUNPATH:
        d->needed_max = value > d->needed_max ? value : d->needed_max;
        return;
    case DT_TEXTREL:
        d->text_relocations = true;
        return;
    case DT_FLAGS:
        d->text_relocations |= (value & DF_TEXTREL) != 0;
        return;
    default:
        if (e->d_tag > 0 && e->d_tag < TAGS) {
            d->value[e->d_tag] = value;
            d->has[e->d_tag] = true;
        }
    }
}

static int read_entries(const struct elf_file *f, struct dynamic *d, struct aiox_backend_report *r)
{
    const ElfW(Phdr) *segment = NULL;
    int count = 0;

    for (int i = 0; i < f->segment_count; i++) {
        if (f->segments[i].p_type == PT_DYNAMIC) {
            segment = &f->segments[i];
            count++;
        }
    }
    if (count != 1) {
        return ELF_REFUSE(r, "has %d dynamic sections", count);
    }
    for (uint64_t i = 0; i < ENTRIES_MAX; i++) {
        ElfW(Dyn) e;

        if ((i + 1) * sizeof(e) > segment->p_filesz ||
            !elf_read_at_(f, &e, segment->p_vaddr + i * sizeof(e), sizeof(e))) {
            break;
        }
        if (e.d_tag == DT_NULL) {
            return 0;
        }
        note_entry(d, &e);
    }
    return ELF_REFUSE(r, "the dynamic section has no end");
}

/* Tables that are an address and a size. */
static const struct {
    int address, size;
    const char *name;
} tables[] = {
    {DT_STRTAB, DT_STRSZ, "strings"},
    {DT_RELA, DT_RELASZ, "relocations"},
    {DT_REL, DT_RELSZ, "relocations"},
    {TAG_RELR, TAG_RELRSZ, "relative relocations"},
    {DT_JMPREL, DT_PLTRELSZ, "procedure relocations"},
    {DT_INIT_ARRAY, DT_INIT_ARRAYSZ, "constructors"},
    {DT_FINI_ARRAY, DT_FINI_ARRAYSZ, "destructors"},
};

static int check_tables(const struct elf_file *f, const struct dynamic *d,
                        struct aiox_backend_report *r)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        if (d->has[tables[i].address] &&
            !elf_covering_(f, d->value[tables[i].address], d->value[tables[i].size])) {
            return ELF_REFUSE(r, "the table of %s is not in the file", tables[i].name);
        }
    }
    if ((d->has[DT_INIT] && !elf_covering_(f, d->value[DT_INIT], 1)) ||
        (d->has[DT_FINI] && !elf_covering_(f, d->value[DT_FINI], 1))) {
        return ELF_REFUSE(r, "its start or end is not in the file");
    }
    if ((d->versym && !elf_covering_(f, d->versym, sizeof(ElfW(Half)))) ||
        (d->verneed && !elf_covering_(f, d->verneed, sizeof(ElfW(Verneed)))) ||
        (d->verdef && !elf_covering_(f, d->verdef, sizeof(ElfW(Verdef))))) {
        return ELF_REFUSE(r, "the table of versions is not in the file");
    }
    if (d->text_relocations) {
        return ELF_REFUSE(r, "has relocations in its code");
    }
    return 0;
}

static int check_strings(const struct elf_file *f, const struct dynamic *d,
                         struct aiox_backend_report *r)
{
    uint64_t bytes = d->value[DT_STRSZ];
    char last;

    if (!d->has[DT_STRTAB] || bytes == 0 || d->needed_max >= bytes ||
        !elf_read_at_(f, &last, d->value[DT_STRTAB] + bytes - 1, 1) || last != '\0') {
        return ELF_REFUSE(r, "the table of strings is damaged");
    }
    return 0;
}

/* The loader divides by what it finds here. */
static int check_hash(const struct elf_file *f, const struct dynamic *d,
                      struct aiox_backend_report *r)
{
    uint32_t h[4];

    if (d->gnu_hash) {
        if (!elf_read_at_(f, h, d->gnu_hash, 4 * sizeof(*h)) || h[0] == 0 || h[2] == 0 ||
            (h[2] & (h[2] - 1)) != 0 ||
            !elf_covering_(f, d->gnu_hash,
                           4 * sizeof(*h) + (uint64_t)h[2] * sizeof(ElfW(Addr)) +
                               (uint64_t)h[0] * sizeof(*h))) {
            return ELF_REFUSE(r, "the hash table is damaged");
        }
        return 0;
    }
    if (!d->has[DT_HASH] || !elf_read_at_(f, h, d->value[DT_HASH], 2 * sizeof(*h)) || h[0] == 0 ||
        !elf_covering_(f, d->value[DT_HASH], (2 + (uint64_t)h[0] + h[1]) * sizeof(*h))) {
        return ELF_REFUSE(r, "the hash table is damaged");
    }
    return 0;
}

static bool is_writable(const struct elf_file *f, uint64_t address)
{
    for (int i = 0; i < f->segment_count; i++) {
        const ElfW(Phdr) *s = &f->segments[i];

        if (s->p_type == PT_LOAD && (s->p_flags & PF_W) && address >= s->p_vaddr &&
            s->p_memsz >= sizeof(ElfW(Addr)) &&
            address - s->p_vaddr <= s->p_memsz - sizeof(ElfW(Addr))) {
            return true;
        }
    }
    return false;
}

/* True if the relocation changes writable memory and names a symbol of the table. */
static bool is_relocation_good(const struct elf_file *f, const struct dynamic *d,
                               const ElfW(Rel) * rel)
{
    uint64_t symbol = d->value[DT_SYMTAB] + (uint64_t)SYMBOL_OF(rel->r_info) * sizeof(ElfW(Sym));

    return rel->r_info == 0 || /* of type NONE */
           (is_writable(f, rel->r_offset) && elf_covering_(f, symbol, sizeof(ElfW(Sym))));
}

/* Goes through a table of relocations of @each bytes; both forms begin the same way. */
static int check_relocations(const struct elf_file *f, const struct dynamic *d, const int tag[2],
                             size_t each, struct aiox_backend_report *r)
{
    uint64_t address = d->value[tag[0]];
    uint64_t left = d->has[tag[0]] ? d->value[tag[1]] : 0;
    char some[64 * sizeof(ElfW(Rela))];

    while (left >= each) {
        size_t now = left < sizeof(some) ? (size_t)left : sizeof(some) / each * each;

        if (!elf_read_at_(f, some, address, now)) {
            return ELF_REFUSE(r, "a relocation is not in the file");
        }
        for (size_t at = 0; at + each <= now; at += each) {
            ElfW(Rel) rel;

            memcpy(&rel, some + at, sizeof(rel));
            if (!is_relocation_good(f, d, &rel)) {
                return ELF_REFUSE(r, "a relocation is damaged");
            }
        }
        address += now;
        left -= now;
    }
    return 0;
}

/* Packed ones: an address, or a mask of the words behind the last one. */
static bool is_packed_good(const struct elf_file *f, ElfW(Addr) entry, uint64_t *next)
{
    const int bits = 8 * sizeof(entry);
    uint64_t at = *next;

    if (!(entry & 1)) {
        *next = entry + sizeof(entry);
        return is_writable(f, entry);
    }
    for (int i = 1; i < bits; i++, at += sizeof(entry)) {
        if ((entry >> i & 1) && !is_writable(f, at)) {
            return false;
        }
    }
    *next = at;
    return true;
}

static int check_packed(const struct elf_file *f, const struct dynamic *d,
                        struct aiox_backend_report *r)
{
    uint64_t count = d->has[TAG_RELR] ? d->value[TAG_RELRSZ] / sizeof(ElfW(Addr)) : 0;
    uint64_t next = 0;

    for (uint64_t i = 0; i < count; i++) {
        ElfW(Addr) entry;

        if (!elf_read_at_(f, &entry, d->value[TAG_RELR] + i * sizeof(entry), sizeof(entry))) {
            return ELF_REFUSE(r, "a relocation is not in the file");
        }
        if (!is_packed_good(f, entry, &next)) {
            return ELF_REFUSE(r, "a relocation is damaged");
        }
    }
    return 0;
}

static int check_all_relocations(const struct elf_file *f, const struct dynamic *d,
                                 struct aiox_backend_report *r)
{
    size_t plt = d->value[DT_PLTREL] == DT_REL ? sizeof(ElfW(Rel)) : sizeof(ElfW(Rela));
    int error;

    if ((d->has[DT_RELA] && d->value[DT_RELAENT] != sizeof(ElfW(Rela))) ||
        (d->has[DT_REL] && d->value[DT_RELENT] != sizeof(ElfW(Rel)))) {
        return ELF_REFUSE(r, "its relocations have an unknown size");
    }
    error = check_relocations(f, d, (const int[]){DT_RELA, DT_RELASZ}, sizeof(ElfW(Rela)), r);
    if (!error) {
        error = check_relocations(f, d, (const int[]){DT_REL, DT_RELSZ}, sizeof(ElfW(Rel)), r);
    }
    if (!error) {
        error = check_relocations(f, d, (const int[]){DT_JMPREL, DT_PLTRELSZ}, plt, r);
    }
    return error ? error : check_packed(f, d, r);
}

int elf_check_dynamic_(const struct elf_file *f, struct aiox_backend_report *r)
{
    struct dynamic d;
    int error;

    memset(&d, 0, sizeof(d));
    error = read_entries(f, &d, r);
    if (!error) {
        error = check_tables(f, &d, r);
    }
    if (!error) {
        error = check_strings(f, &d, r);
    }
    if (!error && (!d.has[DT_SYMTAB] || d.value[DT_SYMENT] != sizeof(ElfW(Sym)) ||
                   !elf_covering_(f, d.value[DT_SYMTAB], sizeof(ElfW(Sym))))) {
        error = ELF_REFUSE(r, "the table of symbols is damaged");
    }
    if (!error) {
        error = check_hash(f, &d, r);
    }
    return error ? error : check_all_relocations(f, &d, r);
}
