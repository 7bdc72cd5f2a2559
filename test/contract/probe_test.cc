/* SPDX-License-Identifier: MIT */
/*
 * probe_test.cc - what a backend says of itself, and of where it is.
 */
#include "fdmon_contract.h"

#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace contract
{
namespace
{

class RingContract : public FdmonContract
{
};

INSTANTIATE_TEST_SUITE_P(Fdmon, RingContract, ::testing::ValuesIn(BackendsCalled("io_uring")),
                         NameOf);

class EpollContract : public FdmonContract
{
};

INSTANTIATE_TEST_SUITE_P(Fdmon, EpollContract, ::testing::ValuesIn(BackendsCalled("epoll")),
                         NameOf);

aiox_fdmon_probe Probe(const aiox_fdmon_plugin *plugin, const Host &host)
{
    aiox_fdmon_probe probe = {};

    probe.size = sizeof(probe);
    EXPECT_EQ(plugin->probe(host.table(), &probe), 0);
    return probe;
}

/* From here on, in this process, the system call @nr does @action (SECCOMP_RET_*). */
void Deny(int nr, uint32_t action)
{
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {(unsigned short)std::size(code), code};

    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

void DenyWith(int nr, int err)
{
    Deny(nr, SECCOMP_RET_ERRNO | (uint32_t)err);
}

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
    auto probe = Probe(plugin(), host_);

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
                EXPECT_NE(Probe(plugin(), host_).state, (uint32_t)AIOX_FDMON_UNUSABLE);
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

TEST_P(RingContract, TooLittleLockedMemoryIsALimit)
{
    int status = InChild([this] {
        rlimit none = {0, 0};
        setrlimit(RLIMIT_MEMLOCK, &none);
        if (setgid(65534) || setuid(65534)) {
            return 2;
        }
        auto probe = Probe(plugin(), host_);
        bool says_so = probe.cause == AIOX_FDMON_CAUSE_LIMIT && probe.error == -ENOMEM &&
                       strstr(probe.hint, "ulimit -l");
        return probe.state == AIOX_FDMON_USABLE || says_so ? 0 : 1;
    });

    if (status == 2) {
        GTEST_SKIP() << "may not become nobody here";
    }
    EXPECT_EQ(status, 0);
}

struct Denial {
    int nr;
    int err;
    uint32_t cause;
};

TEST_P(RingContract, ADeniedRingIsUnusableAndSaysWhy)
{
    const Denial denials[] = {
        {__NR_io_uring_setup, EPERM, AIOX_FDMON_CAUSE_DENIED},
        {__NR_io_uring_setup, EACCES, AIOX_FDMON_CAUSE_DENIED},
        {__NR_io_uring_setup, ENOSYS, AIOX_FDMON_CAUSE_MISSING},
        {__NR_io_uring_setup, EINVAL, AIOX_FDMON_CAUSE_MISSING},
        {__NR_io_uring_setup, ENOMEM, AIOX_FDMON_CAUSE_LIMIT},
        {__NR_io_uring_setup, EMFILE, AIOX_FDMON_CAUSE_LIMIT},
        {__NR_io_uring_setup, ENFILE, AIOX_FDMON_CAUSE_LIMIT},
        {__NR_io_uring_setup, EIO, AIOX_FDMON_CAUSE_OTHER},
        {__NR_io_uring_register, EPERM, AIOX_FDMON_CAUSE_DENIED},
        {__NR_io_uring_enter, EPERM, AIOX_FDMON_CAUSE_DENIED},
    };

    for (const Denial &denial : denials) {
        SCOPED_TRACE(std::to_string(denial.nr) + " " + strerror(denial.err));
        int status = InChild([&] {
            aiox_fdmon *out = nullptr;
            auto before = OpenDescriptors();
            DenyWith(denial.nr, denial.err);
            auto probe = Probe(plugin(), host_);
            if (probe.state != AIOX_FDMON_UNUSABLE || probe.cause != denial.cause ||
                probe.error != -denial.err || !*probe.text) {
                return 1;
            }
            if (denial.err != EIO && !*probe.hint) {
                return 2;
            }
            if (denial.nr == __NR_io_uring_setup &&
                plugin()->ops->open(host_.table(), &out) != -denial.err) {
                return 3;
            }
            return out == nullptr && OpenDescriptors() == before ? 0 : 4;
        });
        EXPECT_EQ(status, 0);
    }
}

TEST_P(RingContract, WithoutItsWaitItIsBrokenAndSaysSo)
{
    int status = InChild([&] {
        aiox_fdmon_event out[4];
        Monitor mon(plugin(), &host_);
        Fd ready = Event(1);
        mon.Watch(ready.get(), AIOX_FD_READ, 1);
        DenyWith(__NR_io_uring_enter, EPERM);
        int rc = mon.ops().collect(mon.get(), 1000, out, 4);
        mon.Close();
        return rc == -EPERM ? 0 : 1;
    });

    EXPECT_EQ(status, 0);
}

TEST_P(EpollContract, WithoutEpollPwait2NothingIsLostAndNothingTooShort)
{
    for (int err : {ENOSYS, EPERM}) {
        int status = InChild([&] {
            Monitor mon(plugin(), &host_);
            Fd bell = Event();
            char text[200];

            DenyWith(__NR_epoll_pwait2, err);
            auto probe = Probe(plugin(), host_);
            EXPECT_EQ(probe.state, (uint32_t)AIOX_FDMON_DEGRADED);
            EXPECT_EQ(probe.error, -err);
            mon.Watch(bell.get(), AIOX_FD_READ, 1);
            for (int64_t ns : {1, 1000, 333333, 1500001}) {
                int64_t start = NowNs();
                EXPECT_TRUE(mon.Collect(ns).empty());
                EXPECT_GE(NowNs() - start, ns);
            }
            Ring(bell.get());
            EXPECT_EQ(mon.Collect(1000000000).size(), 1u);
            mon.ops().describe(mon.get(), text, sizeof(text));
            EXPECT_NE(strstr(text, "ppoll"), nullptr);
            mon.Close();
            return HasFailure() ? 1 : 0;
        });
        EXPECT_EQ(status, 0) << strerror(err);
    }
}

/* The kernel kills the child at the first io_uring_enter(). */
TEST_P(RingContract, LookingAtAnIdleRingAsksTheKernelNothing)
{
    int status = InChild([&] {
        Monitor *mon = new Monitor(plugin(), &host_); /* its end would ask */
        Fd quiet = Event();
        mon->Watch(quiet.get(), AIOX_FD_READ, 1);
        mon->Look();
        Deny(__NR_io_uring_enter, SECCOMP_RET_KILL_PROCESS);
        for (int i = 0; i < 10; i++) {
            if (!mon->Look().empty() || mon->Flush() || mon->ops().pending(mon->get())) {
                return 1;
            }
        }
        return 0;
    });

    EXPECT_EQ(status, 0);
}

TEST_P(RingContract, OlderKernelsAreServedWithFewerFlags)
{
    host_.SetOption("defer", "0");
    Monitor mon(plugin(), &host_);
    char text[200];
    Fd bell = Event();
    Fd other = Event();

    mon.ops().describe(mon.get(), text, sizeof(text));
    EXPECT_EQ(strstr(text, "deferred"), nullptr) << text;
    ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(mon.Watch(other.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, 2), 0);
    for (int i = 0; i < 100; i++) {
        Ring(bell.get());
        Ring(other.get());
        mon.Await(1, AIOX_FD_READ);
        Silence(bell.get());
        Silence(other.get());
        mon.CollectsUntilAsleep(10);
        ASSERT_TRUE(mon.Look().empty());
    }
}

/* Delivered at any time, two completions can wait in the queue. */
TEST_P(RingContract, TwoCompletionsOfOneWatchAreOneReport)
{
    host_.SetOption("defer", "0");
    Monitor mon(plugin(), &host_);
    Pair pair = UnixPair();

    Fill(pair.a.get());
    ASSERT_EQ(mon.Watch(pair.a.get(), AIOX_FD_READ | AIOX_FD_WRITE | AIOX_FDMON_DRAINS, 1), 0);
    ASSERT_TRUE(mon.Look().empty());
    WriteByte(pair.b.get());
    getppid();
    Drain(pair.b.get());
    getppid();

    EXPECT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ | AIOX_FD_WRITE}}));
}

TEST_P(RingContract, TheChildDoesNotSeeTheParentsQueues)
{
    Monitor mon(plugin(), &host_);
    mon.Look();

    int status = InChild([] {
        std::ifstream maps("/proc/self/maps");
        std::string text((std::istreambuf_iterator<char>(maps)), std::istreambuf_iterator<char>());
        return text.find("[io_uring]") == std::string::npos ? 0 : 1;
    });

    EXPECT_EQ(status, 0);
}

TEST_P(RingContract, AnOptionThatMeansNothingIsNotTaken)
{
    for (const char *value : {"", "0", "-1", "many", "40000", "12x", "99999999999999999999"}) {
        char text[200];
        host_.SetOption("entries", value);
        Monitor mon(plugin(), &host_);

        mon.ops().describe(mon.get(), text, sizeof(text));
        EXPECT_NE(strstr(text, "128 entries"), nullptr) << value << ": " << text;
    }
}

} // namespace
} // namespace contract
