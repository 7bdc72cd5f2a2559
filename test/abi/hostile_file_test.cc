/* SPDX-License-Identifier: MIT */
/*
 * hostile_file_test.cc - whatever a file holds, there is a reason and no harm.
 *
 * Each file is looked at in a child: if the loader dies of it, the test says
 * so. None of them may get so far that its constructor runs.
 */
#include <cerrno>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/abi/elf_editor.h"
#include "test/abi/workshop.h"

namespace
{
namespace fs = std::filesystem;
using aiox_test::Child;
using aiox_test::ElfEditor;
using aiox_test::Finding;
using aiox_test::ReadFile;
using aiox_test::RunInChild;
using aiox_test::ScanHere;
using aiox_test::Words;
using aiox_test::WriteFile;

class HostileFile : public aiox_test::Workshop
{
  protected:
    HostileFile() : path_(Install("tiny")), original_(ReadFile(path_))
    {
    }

    /* The reason for which what @damage makes of the file is refused. */
    std::string Refusal(const std::function<void(ElfEditor *)> &damage)
    {
        ElfEditor editor(original_);

        damage(&editor);
        EXPECT_NE(editor.bytes(), original_) << "the damage does nothing";
        WriteFile(path_, editor.bytes());
        Finding finding = Look(path_);
        EXPECT_NE(finding.stage, AIOX_BACKEND_CHOSEN);
        EXPECT_FALSE(finding.has_plugin);
        EXPECT_EQ(Loads(), 0U) << "its constructor has run";
        return Words(finding);
    }

    const std::string path_;
    const std::string original_;
};

TEST_F(HostileFile, TheSoundOneIsLoadedOnce)
{
    Finding finding = Look(path_);

    EXPECT_EQ(finding.stage, AIOX_BACKEND_CHOSEN) << Words(finding);
    EXPECT_TRUE(finding.has_plugin);
    EXPECT_STREQ(finding.name, "tiny");
    EXPECT_STREQ(finding.version, "0.1.0");
    EXPECT_EQ(finding.path, path_);
    EXPECT_EQ(Loads(), 1U);
}

TEST_F(HostileFile, ItsFactsAreReadWithoutRunningIt)
{
    Finding finding = Look(path_, AIOX_BACKEND_SCAN_FILES);

    EXPECT_EQ(finding.stage, AIOX_BACKEND_CHOSEN) << Words(finding);
    EXPECT_STREQ(finding.version, "0.1.0");
    EXPECT_FALSE(finding.has_plugin);
    EXPECT_EQ(Loads(), 0U);
}

TEST_F(HostileFile, EveryTruncationIsRefused)
{
    Child child = RunInChild([&](std::vector<Finding> *findings) {
        for (size_t length = original_.size(); length-- > 0;) {
            fs::resize_file(path_, length);
            Finding finding = ScanHere(path_.c_str(), AIOX_BACKEND_SCAN_LOAD)[0];
            if (finding.stage != AIOX_BACKEND_NOTE) {
                findings->push_back(finding);
                findings->back().spent_ns = static_cast<int64_t>(length);
            }
        }
    });

    EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
    EXPECT_TRUE(child.findings.empty())
        << child.findings[0].spent_ns << " bytes: " << Words(child.findings[0]);
    EXPECT_EQ(Loads(), 0U);
}

/* Nothing is missing then that the loader would read. */
TEST_F(HostileFile, WithoutSectionHeadersEveryTruncationOfASegmentIsRefused)
{
    ElfEditor editor(original_);
    editor.Head()->e_shoff = 0;
    editor.Head()->e_shnum = 0;
    size_t needed = 0;
    for (int i = 0; i < editor.Head()->e_phnum; i++) {
        needed =
            std::max<size_t>(needed, editor.Segment(i)->p_offset + editor.Segment(i)->p_filesz);
    }
    WriteFile(path_, editor.bytes());
    fs::resize_file(path_, needed);

    Child child = RunInChild([&](std::vector<Finding> *findings) {
        for (size_t length = needed; length-- > 0;) {
            fs::resize_file(path_, length);
            Finding finding = ScanHere(path_.c_str(), AIOX_BACKEND_SCAN_LOAD)[0];
            if (finding.stage != AIOX_BACKEND_NOTE) {
                findings->push_back(finding);
            }
        }
    });

    EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
    EXPECT_TRUE(child.findings.empty());
    WriteFile(path_, editor.bytes());
    fs::resize_file(path_, needed);
    EXPECT_EQ(Look(path_).stage, AIOX_BACKEND_CHOSEN) << "as long as it need be, it loads";
}

TEST_F(HostileFile, ZerosInsteadOfItsEndAreRefusedOrHarmless)
{
    Child child = RunInChild([&](std::vector<Finding> *) {
        for (size_t length = 0; length < original_.size(); length += 97) {
            WriteFile(path_,
                      original_.substr(0, length) + std::string(original_.size() - length, '\0'));
            ScanHere(path_.c_str(), AIOX_BACKEND_SCAN_FILES);
        }
    });

    EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
}

TEST_F(HostileFile, TheJudgeSurvivesDamageAnywhere)
{
    std::mt19937 random(20240229);
    int fd = open(path_.c_str(), O_WRONLY | O_CLOEXEC);

    Child child = RunInChild([&](std::vector<Finding> *) {
        for (int i = 0; i < 10000; i++) {
            std::vector<size_t> places(1 + random() % 8);
            for (size_t &place : places) {
                /* Most of them where the headers are. */
                place = random() % (random() % 4 ? 2048 : original_.size());
                char byte = static_cast<char>(random());
                ASSERT_EQ(pwrite(fd, &byte, 1, static_cast<off_t>(place)), 1);
            }
            ScanHere(path_.c_str(), AIOX_BACKEND_SCAN_FILES);
            for (size_t place : places) {
                ASSERT_EQ(pwrite(fd, &original_[place], 1, static_cast<off_t>(place)), 1);
            }
        }
    });

    EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
    EXPECT_EQ(Loads(), 0U);
    EXPECT_EQ(ReadFile(path_), original_);
    close(fd);
}

TEST_F(HostileFile, WhatIsNoElfFileIsRefused)
{
    WriteFile(path_, "");
    EXPECT_EQ(Words(Look(path_)), "note ENOEXEC: too short for an ELF file (0 bytes)");

    WriteFile(path_, "#!/bin/sh\n" + std::string(5000, '#'));
    EXPECT_EQ(Words(Look(path_)), "note ENOEXEC: not an ELF file");
}

TEST_F(HostileFile, AnotherMachineIsNamed)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_ident[EI_CLASS] ^= 3; }),
              "note ENOEXEC: built for another word size");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_ident[EI_DATA] ^= 3; }),
              "note ENOEXEC: built for another byte order");
    std::string s390 = Refusal([](ElfEditor *e) { e->Head()->e_machine = EM_S390; });
    EXPECT_EQ(s390.rfind("note ENOEXEC: built for s390 (22), not for ", 0), 0U) << s390;
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_type = ET_EXEC; }),
              "note ENOEXEC: not a shared object");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_version = 2; }),
              "note ENOEXEC: an unknown version of ELF");
}

TEST_F(HostileFile, HeadersThatLieAreRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_phnum = 0; }),
              "note ENOEXEC: bad program headers");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_phnum = 65; }),
              "note ENOEXEC: bad program headers");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_phentsize++; }),
              "note ENOEXEC: bad program headers");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_phoff = UINT64_MAX - 8; }),
              "note ENOEXEC: cut short: the program headers end after the file");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_shoff = UINT64_MAX - 8; }),
              "note ENOEXEC: cut short: the section headers end after the file");
}

TEST_F(HostileFile, SectionsThatLieAreRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) {
                  e->At<ElfW(Shdr)>(e->Head()->e_shoff)[1].sh_size = UINT64_MAX;
              }),
              "note ENOEXEC: cut short: section 1 ends after the file");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Head()->e_shentsize = 1; }),
              "note ENOEXEC: cut short: the section headers end after the file");
}

TEST_F(HostileFile, SegmentsThatLieAreRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_LOAD)->p_offset = UINT64_MAX - 4095; }),
              "note ENOEXEC: cut short: segment 0 ends after the file");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_LOAD)->p_filesz = UINT64_MAX; }),
              "note ENOEXEC: cut short: segment 0 ends after the file");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_LOAD)->p_memsz = 1; }),
              "note ENOEXEC: segment 0 has a bad size or place");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_LOAD, 1)->p_memsz = UINT64_MAX / 2; }),
              "note ENOEXEC: segment 1 has a bad size or place");
    EXPECT_EQ(Refusal([](ElfEditor *e) {
                  e->SegmentOf(PT_LOAD, 1)->p_vaddr = 0;
              }).rfind("note ENOEXEC: segment 1 has a bad", 0),
              0U);
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_LOAD)->p_align = 3; }),
              "note ENOEXEC: segment 0 has a bad alignment");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_LOAD, 1)->p_offset += 8; }),
              "note ENOEXEC: segment 1 has a bad alignment");
}

TEST_F(HostileFile, WritableCodeIsRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_LOAD)->p_flags = PF_R | PF_W | PF_X; }),
              "note ENOEXEC: segment 0 is writable and executable");
}

TEST_F(HostileFile, AnExecutableStackIsRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_GNU_STACK)->p_flags |= PF_X; }),
              "note ENOEXEC: asks for an executable stack");
    /* Where nothing is said, the loader makes it executable. */
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_GNU_STACK)->p_type = PT_NULL; }),
              "note ENOEXEC: does not say that its stack is not executable");
}

TEST_F(HostileFile, WithoutOurNoteItIsRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Note()[-8] = 'A'; }),
              "note ENOEXEC: not a backend: no note of aiox in it");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Note()[-12] = 9; }),
              "note ENOEXEC: not a backend: no note of aiox in it");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Note()[0] = 'G'; }),
              "note ENOEXEC: the note of aiox in it has a bad mark (0x314d4447)");
}

TEST_F(HostileFile, AnotherMajorIsRefusedBeforeItRuns)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Note()[4] = 2; }),
              "note EPROTO: made for version 2.0 of the contract, this loop has 1.0");
}

TEST_F(HostileFile, ANoteOfAnotherNameIsRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Note()[8] = 'T'; }),
              "note ENOEXEC: the note in it is of 'Tiny', not of 'tiny'");
}

TEST_F(HostileFile, NotesThatLieAreRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { memset(e->Note() - 20, 0xff, 8); }),
              "note ENOEXEC: not a backend: no note of aiox in it");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->Note()[-16] = 1; }), /* its size: one byte */
              "note ENOEXEC: the note of aiox in it has a bad mark (0x46)");
}

TEST_F(HostileFile, ADynamicSectionThatLiesIsRefused)
{
    auto lie = [&](int64_t tag, uint64_t value) {
        return Refusal([&](ElfEditor *e) { e->DynamicOf(tag)->d_un.d_val = value; });
    };

    EXPECT_EQ(lie(DT_STRTAB, 0x7fffffff), "note ENOEXEC: the table of strings is not in the file");
    EXPECT_EQ(lie(DT_STRSZ, UINT64_MAX), "note ENOEXEC: the table of strings is not in the file");
    EXPECT_EQ(lie(DT_STRSZ, 0), "note ENOEXEC: the table of strings is damaged");
    EXPECT_EQ(lie(DT_NEEDED, 1 << 20), "note ENOEXEC: the table of strings is damaged");
    EXPECT_EQ(lie(DT_SYMTAB, 0x7fffffff), "note ENOEXEC: the table of symbols is damaged");
    EXPECT_EQ(lie(DT_SYMENT, 1), "note ENOEXEC: the table of symbols is damaged");
    EXPECT_EQ(lie(DT_GNU_HASH, 0x7fffffff), "note ENOEXEC: the hash table is damaged");
    EXPECT_EQ(lie(DT_INIT_ARRAY, 0x7fffffff),
              "note ENOEXEC: the table of constructors is not in the file");
    EXPECT_EQ(lie(DT_INIT_ARRAYSZ, 1 << 30),
              "note ENOEXEC: the table of constructors is not in the file");
    EXPECT_EQ(lie(DT_INIT, 0x7fffffff), "note ENOEXEC: its start or end is not in the file");
    EXPECT_EQ(lie(DT_VERNEED, 0x7fffffff),
              "note ENOEXEC: the table of versions is not in the file");
    EXPECT_EQ(lie(DT_RELA, 0x7fffffff),
              "note ENOEXEC: the table of relocations is not in the file");
    EXPECT_EQ(lie(DT_RELAENT, 8), "note ENOEXEC: its relocations have an unknown size");
}

TEST_F(HostileFile, ADynamicSectionWithoutEndIsRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_DYNAMIC)->p_filesz = 32; }),
              "note ENOEXEC: the dynamic section has no end");
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->SegmentOf(PT_DYNAMIC)->p_type = PT_NULL; }),
              "note ENOEXEC: has 0 dynamic sections");
    EXPECT_EQ(Refusal([](ElfEditor *e) {
                  e->SegmentOf(PT_DYNAMIC)->p_vaddr = 1 << 29;
              }).find("is in no loadable segment") == std::string::npos,
              false);
}

TEST_F(HostileFile, RelocationsInCodeAreRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) { e->DynamicOf(DT_RELACOUNT)->d_tag = DT_TEXTREL; }),
              "note ENOEXEC: has relocations in its code");
}

TEST_F(HostileFile, AWildRelocationIsRefused)
{
    auto first = [](ElfEditor *e) {
        return e->AtAddress<ElfW(Rela)>(e->DynamicOf(DT_RELA)->d_un.d_val);
    };

    EXPECT_EQ(Refusal([&](ElfEditor *e) { first(e)->r_offset = 0; }),
              "note ENOEXEC: a relocation is damaged");
    EXPECT_EQ(Refusal([&](ElfEditor *e) { first(e)->r_offset = UINT64_MAX - 3; }),
              "note ENOEXEC: a relocation is damaged");
    EXPECT_EQ(Refusal([&](ElfEditor *e) { first(e)->r_info |= UINT64_C(0xffffff) << 32; }),
              "note ENOEXEC: a relocation is damaged");
}

TEST_F(HostileFile, AWildPackedRelocationIsRefused)
{
    constexpr int64_t kRelr = 36, kRelrSize = 35; /* not in every elf.h */
    auto pack = [](ElfEditor *e, uint64_t first, uint64_t second) {
        uint64_t table = e->DynamicOf(DT_SYMTAB)->d_un.d_val; /* its first entry says nothing */
        e->AtAddress<uint64_t>(table)[0] = first;
        e->AtAddress<uint64_t>(table)[1] = second;
        *e->DynamicOf(DT_RELACOUNT) = {kRelr, {table}};
        *e->DynamicOf(DT_VERSYM) = {kRelrSize, {2 * sizeof(uint64_t)}};
    };
    auto writable = [](ElfEditor *e) { return e->DynamicOf(DT_INIT_ARRAY)->d_un.d_val; };

    EXPECT_EQ(Refusal([&](ElfEditor *e) { pack(e, 0, writable(e)); }),
              "note ENOEXEC: a relocation is damaged");
    EXPECT_EQ(Refusal([&](ElfEditor *e) { pack(e, writable(e), UINT64_C(0x7fffffff) << 1); }),
              "note ENOEXEC: a relocation is damaged");
    EXPECT_EQ(Refusal([&](ElfEditor *e) { pack(e, 3, writable(e)); }),
              "note ENOEXEC: a relocation is damaged");
}

TEST_F(HostileFile, AnEmptyHashTableIsRefused)
{
    EXPECT_EQ(Refusal([](ElfEditor *e) {
                  *e->AtAddress<uint32_t>(e->DynamicOf(DT_GNU_HASH)->d_un.d_val) = 0;
              }),
              "note ENOEXEC: the hash table is damaged");
}

TEST_F(HostileFile, AMissingFileIsSaidToBeMissing)
{
    fs::remove(path_);
    EXPECT_EQ(Words(Look(path_)), "find ENOENT: No such file or directory");

    fs::create_symlink("nowhere", path_);
    EXPECT_EQ(Words(Look(path_)), "find ENOENT: No such file or directory");

    fs::remove(path_);
    fs::create_symlink(path_, path_);
    EXPECT_EQ(Words(Look(path_)), "find ELOOP: Too many levels of symbolic links");
}

TEST_F(HostileFile, WhatIsNoFileIsNotTouched)
{
    fs::remove(path_);
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms::owner_all);
    EXPECT_EQ(Words(Look(path_)), "find EINVAL: not a regular file");

    fs::remove(path_);
    ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0); /* to open it would wait for ever */
    EXPECT_EQ(Words(Look(path_)), "find EINVAL: not a regular file");

    fs::remove(path_);
    fs::create_symlink("/dev/zero", path_);
    Finding device = Look(path_);
    EXPECT_EQ(device.stage, AIOX_BACKEND_FIND) << Words(device);
    EXPECT_NE(device.error, 0);
}

TEST_F(HostileFile, ASocketIsNotTouched)
{
    sockaddr_un name = {};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    fs::remove(path_);
    fs::path old = fs::current_path();
    fs::current_path(dir_); /* a socket's path is short */
    name.sun_family = AF_UNIX;
    strcpy(name.sun_path, "fdmon_tiny.so");
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&name), sizeof(name)), 0);
    fs::current_path(old);
    chmod(path_.c_str(), 0600);

    EXPECT_EQ(Words(Look(path_)), "find EINVAL: not a regular file");

    close(fd);
}

TEST_F(HostileFile, AFileOfAnotherNameIsNoPlugin)
{
    for (const char *name : {"tiny.so", "fdmon_.so", "fdmon_Tiny.so", "fdmon_tiny.so.1",
                             "libfdmon_tiny.so", "fdmon_ti-ny.so", "fdmon_"}) {
        WriteFile(In(name), original_);
        EXPECT_EQ(Words(Look(In(name))), "find EINVAL: the file is not called fdmon_<name>.so")
            << name;
    }
    EXPECT_EQ(Loads(), 0U);
}

TEST_F(HostileFile, AFileUnderAWrongNameIsRefused)
{
    fs::rename(path_, In("fdmon_other.so"));

    EXPECT_EQ(Words(Look(In("fdmon_other.so"))),
              "note ENOEXEC: the note in it is of 'tiny', not of 'other'");
    EXPECT_EQ(Loads(), 0U);
}

TEST_F(HostileFile, AMissingLibraryIsNamed)
{
    ElfEditor editor(original_);
    editor.ReplaceAll(std::string("libc.so.6\0", 10), std::string("libx.so.6\0", 10));
    WriteFile(path_, editor.bytes());

    Finding finding = Look(path_);

    EXPECT_EQ(finding.stage, AIOX_BACKEND_LOAD) << Words(finding);
    EXPECT_EQ(finding.error, -ELIBACC);
    EXPECT_NE(Words(finding).find("libx.so.6"), std::string::npos) << Words(finding);
    EXPECT_STREQ(finding.hint, "install libx.so.6 (libx6 in Debian)");
    EXPECT_EQ(Loads(), 0U);
}

TEST_F(HostileFile, AMissingEntryIsNamed)
{
    ElfEditor editor(original_);
    editor.ReplaceAll("aiox_fdmon_plugin_v1", "aiox_fdmon_plugin_v2");
    WriteFile(path_, editor.bytes());

    EXPECT_EQ(Words(Look(path_)), "abi EPROTO: its entry aiox_fdmon_plugin_v1() is missing");
}
} // namespace
