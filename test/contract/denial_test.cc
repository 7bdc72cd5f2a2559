/* SPDX-License-Identifier: MIT */
/*
 * denial_test.cc - kernels, policies and limits that are not here, played by
 * seccomp filters and rlimits in a child.
 */
#include "fdmon_contract.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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

TEST_P(RingContract, ABusyKernelIsNoError)
{
    for (int err : {EINTR, EAGAIN, EBUSY, ETIME}) {
        int status = InChild([&] {
            aiox_fdmon_event out[4];
            Monitor *mon = new Monitor(plugin(), &host_); /* its end would wait */
            Fd ready = Event(1);
            mon->Watch(ready.get(), AIOX_FD_READ, 1);
            mon->Look();
            DenyWith(__NR_io_uring_enter, err);
            int collected = mon->ops().collect(mon->get(), 1000, out, 4);
            int flushed = mon->ops().flush(mon->get());
            return collected == 0 && flushed == 0 && mon->ops().pending(mon->get()) ? 0 : 1;
        });

        EXPECT_EQ(status, 0) << strerror(err);
    }
}

TEST_P(FdmonContract, WhoseDescriptorSomebodyClosedIsBrokenAndSaysSo)
{
    auto before = OpenDescriptors();
    Monitor mon(plugin(), &host_);
    std::set<int> own;

    for (auto &entry : OpenDescriptors()) {
        if (!before.count(entry)) {
            own.insert(std::stoi(entry));
        }
    }
    if (own.empty()) {
        GTEST_SKIP() << "has none";
    }
    int status = InChild([&] {
        aiox_fdmon_event out[4];
        for (int fd : own) {
            close(fd);
        }
        return mon.ops().collect(mon.get(), 1000, out, 4) == -EBADF ? 0 : 1;
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
