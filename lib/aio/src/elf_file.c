/* SPDX-License-Identifier: MIT */
/*
 * elf_file.c - what an ELF file promises, and whether it can keep it.
 *
 * The dynamic loader maps what the program headers say and believes the rest:
 * a byte that is not in the file ends the process with SIGBUS. Everything it
 * maps must therefore lie in the file. Section headers are read by nobody at
 * run time, but stand at the end of what a linker writes: where they are
 * missing, something is missing.
 */
#define _GNU_SOURCE
#include "elf_file.h"

#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__i386__)
#define OUR_MACHINE EM_386
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__arm__)
#define OUR_MACHINE EM_ARM
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define OUR_MACHINE EM_PPC64
#elif defined(__s390__)
#define OUR_MACHINE EM_S390
#else
#error "which EM_ of elf.h is this machine?"
#endif

#define OUR_CLASS (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32)
#define OUR_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

/* A backend that wants more address space than this is not one. */
#define SPAN_MAX (UINT64_C(1) << 30)

static const struct {
    unsigned number;
    const char *name;
} machines[] = {
    {EM_386, "i386"},    {EM_ARM, "arm"},     {EM_X86_64, "x86-64"}, {EM_AARCH64, "aarch64"},
    {EM_PPC64, "ppc64"}, {EM_RISCV, "riscv"}, {EM_S390, "s390"},
};

static const char *machine_name(unsigned number)
{
    for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
        if (machines[i].number == number) {
            return machines[i].name;
        }
    }
    return "an unknown machine";
}

bool elf_holds_(const struct elf_file *f, uint64_t offset, uint64_t count)
{
    return count <= f->bytes && offset <= f->bytes - count;
}

bool elf_read_(const struct elf_file *f, void *out, uint64_t offset, size_t count)
{
    char *to = out;

    if (!elf_holds_(f, offset, count)) {
        return false;
    }
    while (count > 0) {
        ssize_t n = pread(f->fd, to, count, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        to += n;
        offset += (uint64_t)n;
        count -= (size_t)n;
    }
    return true;
}

const ElfW(Phdr) * elf_covering_(const struct elf_file *f, uint64_t address, uint64_t count)
{
    for (int i = 0; i < f->segment_count; i++) {
        const ElfW(Phdr) *s = &f->segments[i];

        if (s->p_type == PT_LOAD && address >= s->p_vaddr && count <= s->p_filesz &&
            address - s->p_vaddr <= s->p_filesz - count) {
            return s;
        }
    }
    return NULL;
}

bool elf_read_at_(const struct elf_file *f, void *out, uint64_t address, size_t count)
{
    const ElfW(Phdr) *s = elf_covering_(f, address, count);

    return s && elf_read_(f, out, s->p_offset + (address - s->p_vaddr), count);
}

static int check_ident(const struct elf_file *f, struct aiox_backend_report *r)
{
    const unsigned char *ident = f->head.e_ident;

    if (memcmp(ident, ELFMAG, SELFMAG) != 0) {
        return ELF_REFUSE(r, "not an ELF file");
    }
    if (ident[EI_CLASS] != OUR_CLASS) {
        return ELF_REFUSE(r, "built for another word size");
    }
    if (ident[EI_DATA] != OUR_DATA) {
        return ELF_REFUSE(r, "built for another byte order");
    }
    if (f->head.e_machine != OUR_MACHINE) {
        return ELF_REFUSE(r, "built for %s (%u), not for %s", machine_name(f->head.e_machine),
                          (unsigned)f->head.e_machine, machine_name(OUR_MACHINE));
    }
    if (ident[EI_VERSION] != EV_CURRENT || f->head.e_version != EV_CURRENT) {
        return ELF_REFUSE(r, "an unknown version of ELF");
    }
    if (f->head.e_type != ET_DYN) {
        return ELF_REFUSE(r, "not a shared object");
    }
    return 0;
}

static int check_sections(const struct elf_file *f, struct aiox_backend_report *r)
{
    const ElfW(Ehdr) *h = &f->head;

    if (h->e_shoff == 0 && h->e_shnum == 0) {
        return 0; /* they were stripped */
    }
    if (h->e_shentsize != sizeof(ElfW(Shdr)) ||
        !elf_holds_(f, h->e_shoff, (uint64_t)h->e_shnum * sizeof(ElfW(Shdr)))) {
        return ELF_REFUSE(r, "cut short: the section headers end after the file");
    }
    for (unsigned i = 0; i < h->e_shnum; i++) {
        ElfW(Shdr) s;

        if (!elf_read_(f, &s, h->e_shoff + (uint64_t)i * sizeof(s), sizeof(s))) {
            return ELF_REFUSE(r, "section header %u cannot be read", i);
        }
        if (s.sh_type != SHT_NOBITS && s.sh_type != SHT_NULL &&
            !elf_holds_(f, s.sh_offset, s.sh_size)) {
            return ELF_REFUSE(r, "cut short: section %u ends after the file", i);
        }
    }
    return 0;
}

/* @end is where the loadable segment before this one ended; moves it on. */
static int check_loadable(const struct elf_file *f, int i, uint64_t *end,
                          struct aiox_backend_report *r)
{
    const ElfW(Phdr) *s = &f->segments[i];
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    if ((s->p_flags & PF_W) && (s->p_flags & PF_X)) {
        return ELF_REFUSE(r, "segment %d is writable and executable", i);
    }
    if (s->p_align < page || (s->p_align & (s->p_align - 1)) != 0 ||
        ((s->p_vaddr - s->p_offset) & (s->p_align - 1)) != 0) {
        return ELF_REFUSE(r, "segment %d has a bad alignment", i);
    }
    if (s->p_filesz > s->p_memsz || s->p_vaddr < *end || s->p_vaddr > SPAN_MAX ||
        s->p_memsz > SPAN_MAX) {
        return ELF_REFUSE(r, "segment %d has a bad size or place", i);
    }
    *end = s->p_vaddr + s->p_memsz;
    return 0;
}

/* What is no segment of its own must lie in one that is loaded. */
static int check_part(const struct elf_file *f, int i, struct aiox_backend_report *r)
{
    const ElfW(Phdr) *s = &f->segments[i];

    if (s->p_type == PT_GNU_STACK) {
        return s->p_flags & PF_X ? ELF_REFUSE(r, "asks for an executable stack") : 0;
    }
    if (s->p_type == PT_GNU_RELRO) {
        return 0; /* may end with memory that is in no file; the loader only protects it */
    }
    if (s->p_filesz > 0 && !elf_covering_(f, s->p_vaddr, s->p_filesz)) {
        return ELF_REFUSE(r, "segment %d is in no loadable segment", i);
    }
    if (s->p_type == PT_TLS && (s->p_filesz > s->p_memsz || s->p_memsz > SPAN_MAX)) {
        return ELF_REFUSE(r, "the thread-local segment has a bad size");
    }
    return 0;
}

static int check_segments(const struct elf_file *f, struct aiox_backend_report *r)
{
    bool has_stack = false;
    uint64_t end = 0;
    int error = 0;

    for (int i = 0; i < f->segment_count; i++) {
        if (!elf_holds_(f, f->segments[i].p_offset, f->segments[i].p_filesz)) {
            return ELF_REFUSE(r, "cut short: segment %d ends after the file", i);
        }
    }
    for (int i = 0; !error && i < f->segment_count; i++) {
        if (f->segments[i].p_type == PT_LOAD) {
            error = check_loadable(f, i, &end, r);
        }
    }
    for (int i = 0; !error && i < f->segment_count; i++) {
        has_stack |= f->segments[i].p_type == PT_GNU_STACK;
        if (f->segments[i].p_type != PT_LOAD) {
            error = check_part(f, i, r);
        }
    }
    if (!error && !has_stack) {
        return ELF_REFUSE(r, "does not say that its stack is not executable");
    }
    return error;
}

int elf_load_headers_(struct elf_file *f, struct aiox_backend_report *r)
{
    int error;

    if (!elf_read_(f, &f->head, 0, sizeof(f->head))) {
        return ELF_REFUSE(r, "too short for an ELF file (%llu bytes)",
                          (unsigned long long)f->bytes);
    }
    error = check_ident(f, r);
    if (error) {
        return error;
    }
    if (f->head.e_phentsize != sizeof(ElfW(Phdr)) || f->head.e_phnum == 0 ||
        f->head.e_phnum > ELF_SEGMENTS_MAX) {
        return ELF_REFUSE(r, "bad program headers");
    }
    if (!elf_read_(f, f->segments, f->head.e_phoff, f->head.e_phnum * sizeof(ElfW(Phdr)))) {
        return ELF_REFUSE(r, "cut short: the program headers end after the file");
    }
    f->segment_count = f->head.e_phnum;
    error = check_segments(f, r);
    return error ? error : check_sections(f, r);
}
