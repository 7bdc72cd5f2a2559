/* SPDX-License-Identifier: MIT */
/*
 * keeping_test.cc - what the epoll backend leaves in the kernel's set.
 */
#include "fdmon_contract.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace contract
{
namespace
{

class KeepingContract : public FdmonContract
{
};

INSTANTIATE_TEST_SUITE_P(Fdmon, KeepingContract, ::testing::ValuesIn(BackendsCalled("epoll")),
                         NameOf);

/* From here on, in this process, epoll_ctl() fails with @err if asked for @op. */
void DenyControl(int op, int err)
{
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_epoll_ctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)op, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {(unsigned short)std::size(code), code};

    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* How many descriptors are in the epoll(7) sets of this process. */
int Registrations()
{
    int count = 0;

    for (auto &entry : OpenDescriptors()) {
        std::ifstream info("/proc/self/fdinfo/" + std::to_string(std::stoi(entry)));
        for (std::string line; std::getline(info, line);) {
            count += line.rfind("tfd:", 0) == 0;
        }
    }
    return count;
}

/* Neither taken out nor registered anew. */
TEST_P(KeepingContract, WhatComesBackIsOneChange)
{
    int status = InChild([&] {
        Monitor mon(plugin(), &host_);
        Fd comes_and_goes = Event();

        EXPECT_EQ(mon.Watch(comes_and_goes.get(), AIOX_FD_READ, 1), 0);
        DenyControl(EPOLL_CTL_ADD, EPERM);
        DenyControl(EPOLL_CTL_DEL, EPERM);
        for (uint64_t token = 2; token < 100; token++) {
            EXPECT_TRUE(mon.Look().empty());
            EXPECT_EQ(mon.Stop(comes_and_goes.get()), 0);
            EXPECT_TRUE(mon.Look().empty());
            EXPECT_EQ(mon.Watch(comes_and_goes.get(), AIOX_FD_READ, token), 0);
        }
        Ring(comes_and_goes.get());
        EXPECT_EQ(mon.Look(), (Reports{{99, AIOX_FD_READ}}));
        mon.Close();
        return HasFailure() ? 1 : 0;
    });

    EXPECT_EQ(status, 0);
}

TEST_P(KeepingContract, WhatIsKeptGivesWayWhenTheSetIsFull)
{
    for (int err : {ENOSPC, ENOMEM}) {
        int status = InChild([&] {
            Monitor mon(plugin(), &host_);
            Fd stopped[10];
            Fd more = Event();

            for (auto &fd : stopped) {
                fd = Event();
                EXPECT_EQ(mon.Watch(fd.get(), AIOX_FD_READ, 1), 0);
                EXPECT_EQ(mon.Stop(fd.get()), 0);
            }
            EXPECT_EQ(Registrations(), 10);
            DenyControl(EPOLL_CTL_ADD, err);
            EXPECT_EQ(mon.Watch(more.get(), AIOX_FD_READ, 2), -err);
            EXPECT_EQ(Registrations(), 0);
            mon.Close();
            return HasFailure() ? 1 : 0;
        });
        EXPECT_EQ(status, 0) << strerror(err);
    }
}

/* The set is built anew for the first of them; after that, there are no more. */
TEST_P(KeepingContract, NothingIsKeptOnceThatHasMadeAGhost)
{
    Monitor mon(plugin(), &host_);
    Fd other = Event();

    ASSERT_EQ(mon.Watch(other.get(), AIOX_FD_READ, 1), 0);
    for (int kept : {1, 0, 0}) {
        Fd passed = Event();
        Fd duplicate(fcntl(passed.get(), F_DUPFD_CLOEXEC, 0));

        ASSERT_EQ(mon.Watch(passed.get(), AIOX_FD_READ, 2), 0);
        ASSERT_EQ(mon.Stop(passed.get()), 0);
        passed.reset();
        EXPECT_EQ(Registrations(), 1 + kept);
        Ring(duplicate.get());
        EXPECT_LT(mon.CollectsUntilAsleep(10), 10);
        EXPECT_EQ(Registrations(), 1);
    }
}

} // namespace
} // namespace contract
