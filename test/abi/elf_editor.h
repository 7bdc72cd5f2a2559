/* SPDX-License-Identifier: MIT */
/* elf_editor.h - damages an ELF file in one place. */
#ifndef AIOX_TEST_ABI_ELF_EDITOR_H_
#define AIOX_TEST_ABI_ELF_EDITOR_H_

#include <cstring>
#include <link.h>
#include <string>

#include <gtest/gtest.h>

namespace aiox_test
{
/* Pointers go straight into the bytes. */
class ElfEditor
{
  public:
    explicit ElfEditor(std::string bytes) : bytes_(std::move(bytes))
    {
    }

    const std::string &bytes() const
    {
        return bytes_;
    }

    ElfW(Ehdr) * Head()
    {
        return At<ElfW(Ehdr)>(0);
    }

    ElfW(Phdr) * Segment(int i)
    {
        return At<ElfW(Phdr)>(Head()->e_phoff) + i;
    }

    /* The @nth segment of a type. */
    ElfW(Phdr) * SegmentOf(uint32_t type, int nth = 0)
    {
        for (int i = 0; i < Head()->e_phnum; i++) {
            if (Segment(i)->p_type == type && nth-- == 0) {
                return Segment(i);
            }
        }
        ADD_FAILURE() << "no segment of type " << type;
        return Segment(0);
    }

    ElfW(Dyn) * DynamicOf(int64_t tag)
    {
        for (ElfW(Dyn) *d = At<ElfW(Dyn)>(SegmentOf(PT_DYNAMIC)->p_offset); d->d_tag; d++) {
            if (d->d_tag == tag) {
                return d;
            }
        }
        ADD_FAILURE() << "no dynamic entry " << tag;
        return At<ElfW(Dyn)>(SegmentOf(PT_DYNAMIC)->p_offset);
    }

    bool HasDynamic(int64_t tag)
    {
        for (ElfW(Dyn) *d = At<ElfW(Dyn)>(SegmentOf(PT_DYNAMIC)->p_offset); d->d_tag; d++) {
            if (d->d_tag == tag) {
                return true;
            }
        }
        return false;
    }

    /* What stands at an address of the file before it is moved. */
    template <typename T> T *AtAddress(uint64_t address)
    {
        for (int i = 0; i < Head()->e_phnum; i++) {
            const ElfW(Phdr) *s = Segment(i);
            if (s->p_type == PT_LOAD && address >= s->p_vaddr &&
                address < s->p_vaddr + s->p_filesz) {
                return At<T>(s->p_offset + (address - s->p_vaddr));
            }
        }
        ADD_FAILURE() << "no byte at address " << address;
        return At<T>(0);
    }

    /* Replaces every @from by @to, which is as long. */
    void ReplaceAll(const std::string &from, const std::string &to)
    {
        size_t count = 0;
        ASSERT_EQ(from.size(), to.size());
        for (size_t at = bytes_.find(from); at != std::string::npos; at = bytes_.find(from, at)) {
            bytes_.replace(at, from.size(), to);
            count++;
        }
        EXPECT_GT(count, 0U);
    }

    /* Our note in it: owner, then magic, major, minor, name. */
    char *Note()
    {
        size_t at = bytes_.find(std::string("aiox\0\0\0\0FDM1", 12));
        EXPECT_NE(at, std::string::npos);
        return &bytes_[at + 8];
    }

    template <typename T> T *At(uint64_t offset)
    {
        return reinterpret_cast<T *>(&bytes_[static_cast<size_t>(offset)]);
    }

  private:
    std::string bytes_;
};
} // namespace aiox_test

#endif /* AIOX_TEST_ABI_ELF_EDITOR_H_ */
