/* SPDX-License-Identifier: MIT */
/*
 * probe_test.cc - what a backend says of itself, and of where it is.
 */
#include "fdmon_contract.h"

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace contract
{
namespace
{

TEST_P(FdmonContract, ItsDescriptorIsWellFormed)
{
    const aiox_fdmon_plugin *p = plugin();
    int numbers[3];
    char more;

    EXPECT_EQ(p->magic, AIOX_FDMON_MAGIC);
    EXPECT_EQ(p->abi_major, AIOX_FDMON_ABI_MAJOR);
    EXPECT_LE(p->abi_minor, AIOX_FDMON_ABI_MINOR);
    EXPECT_EQ(p->size, sizeof(*p));
    EXPECT_EQ(strspn(p->name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(p->name));
    EXPECT_TRUE(islower(p->name[0]) && strlen(p->name) <= 31) << p->name;
    EXPECT_EQ(sscanf(p->version, "%d.%d.%d%c", &numbers[0], &numbers[1], &numbers[2], &more), 3);
    EXPECT_EQ(std::string(p->summary).find('\n'), std::string::npos);
    EXPECT_STREQ(p->license, "MIT");
    EXPECT_EQ((p->caps | p->needs) & AIOX_FDMON_CAP_MUST_UNDERSTAND, 0u);
    ASSERT_NE(p->ops, nullptr);
    EXPECT_EQ(p->ops->size, sizeof(*p->ops));
    EXPECT_TRUE(p->ops->open && p->ops->close && p->ops->interest && p->ops->collect && p->probe);
    EXPECT_EQ(Has(AIOX_FDMON_CAP_PENDING), p->ops->pending != nullptr);
    for (auto *o = p->options; o && o->name; o++) {
        EXPECT_TRUE(o->default_value && o->help && *o->help) << o->name;
    }
}

TEST_P(FdmonContract, ItsEntryEnds)
{
    EXPECT_EQ(GetParam().entry(1), nullptr);
    EXPECT_EQ(GetParam().entry(UINT32_MAX), nullptr);
    EXPECT_EQ(GetParam().entry(0), plugin()) << "static, never changes";
}

TEST_P(FdmonContract, KnowsNoExtensionThatNobodyKnows)
{
    if (plugin()->get_extension) {
        EXPECT_EQ(plugin()->get_extension("org.example.nothing/1"), nullptr);
        EXPECT_EQ(plugin()->get_extension(""), nullptr);
    }
}

TEST_P(FdmonContract, ItsNoteSaysWhatItsDescriptorSays)
{
    if (GetParam().file.empty()) {
        GTEST_SKIP() << "linked in";
    }
    std::ifstream file(GetParam().file, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    Elf64_Ehdr header;
    int found = 0;

    memcpy(&header, bytes.data(), sizeof(header));
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, &bytes[header.e_phoff + i * sizeof(segment)], sizeof(segment));
        for (size_t at = 0; segment.p_type == PT_NOTE && at < segment.p_filesz;) {
            aiox_fdmon_elf_note_ note;
            memcpy(&note, &bytes[segment.p_offset + at], sizeof(Elf64_Nhdr));
            if (note.type == AIOX_FDMON_NOTE_TYPE && note.note_bytes == sizeof(note.note) &&
                !strcmp(&bytes[segment.p_offset + at + sizeof(Elf64_Nhdr)], "aiox")) {
                memcpy(&note, &bytes[segment.p_offset + at], sizeof(note));
                EXPECT_EQ(note.note.magic, AIOX_FDMON_MAGIC);
                EXPECT_EQ(note.note.abi_major, plugin()->abi_major);
                EXPECT_STREQ(note.note.name, plugin()->name);
                EXPECT_STREQ(note.note.version, plugin()->version);
                found++;
            }
            size_t align = segment.p_align < 4 ? 4 : segment.p_align;
            size_t owner = (note.owner_bytes + align - 1) / align * align;
            at += sizeof(Elf64_Nhdr) + owner + (note.note_bytes + align - 1) / align * align;
        }
    }
    EXPECT_EQ(found, 1);
}

TEST_P(FdmonContract, DescribesItselfInWhatRoomThereIs)
{
    if (!plugin()->ops->describe) {
        GTEST_SKIP() << "says nothing";
    }
    Monitor mon(plugin(), &host_);
    char text[200] = {};
    char one[2] = {'?', '?'};

    mon.ops().describe(mon.get(), text, sizeof(text));
    mon.ops().describe(mon.get(), one, 1);

    EXPECT_GT(strlen(text), 0u);
    EXPECT_EQ(strchr(text, '\n'), nullptr);
    EXPECT_EQ(one[0], '\0');
    EXPECT_EQ(one[1], '?');
    RecordProperty("describes", text);
}

TEST_P(FdmonContract, WorksHereAndSaysSo)
{
    auto probe = PatientProbe(plugin(), host_);

    EXPECT_NE(probe.state, (uint32_t)AIOX_FDMON_UNUSABLE) << probe.text << "; " << probe.hint;
    if (probe.state == AIOX_FDMON_USABLE) {
        EXPECT_EQ(probe.error, 0);
        EXPECT_STREQ(probe.text, "");
    }
}

TEST_P(FdmonContract, FourThreadsMayProbeAtOnce)
{
    std::vector<std::thread> threads;

    for (int i = 0; i < 4; i++) {
        threads.emplace_back([this] {
            for (int j = 0; j < 20; j++) {
                EXPECT_NE(PatientProbe(plugin(), host_).state, (uint32_t)AIOX_FDMON_UNUSABLE);
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
}

TEST_P(FdmonContract, TooFewDescriptorsIsALimit)
{
    const aiox_fdmon_plugin *p = plugin(); /* UBSan needs descriptors to look at *this */
    const Host &host = host_;
    int status = InChild([p, &host] {
        rlimit none = {0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
        auto probe = Probe(p, host);
        bool needs_none = probe.state == AIOX_FDMON_USABLE;
        bool says_so = probe.cause == AIOX_FDMON_CAUSE_LIMIT && probe.error == -EMFILE &&
                       strstr(probe.hint, "ulimit -n");
        return needs_none || says_so ? 0 : 1;
    });

    EXPECT_EQ(status, 0);
}

} // namespace
} // namespace contract
