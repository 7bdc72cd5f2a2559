/* SPDX-License-Identifier: MIT */
/* denied_test.cc - a kernel that says no has its words passed on, and the loop runs all the same.
 */
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aiox/aio.h"
#include "test/abi/workshop.h"

extern "C" const aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

namespace
{
namespace fs = std::filesystem;
using aiox_test::Child;
using aiox_test::Finding;
using aiox_test::RunInChild;
using aiox_test::ScanHere;
using aiox_test::Words;

/* From now on @call fails with @error, in this process and for good. */
void Deny(unsigned call, unsigned error)
{
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {sizeof(code) / sizeof(*code), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        _exit(97);
    }
}

/* The plugin of the tree; its chain of directories is the build's. */
std::string Plugin(const char *name)
{
    return (fs::current_path() / "lib/aiox/fdmon-1/fdmon_").string() + name + ".so";
}

/* What a probe of @name says in a child in which @change has been made. */
Finding ProbeAfter(const char *name, const std::function<void()> &change)
{
    Child child = RunInChild([&](std::vector<Finding> *findings) {
        ScanHere(Plugin(name).c_str(), AIOX_BACKEND_SCAN_LOAD);
        change();
        *findings = ScanHere(Plugin(name).c_str(), AIOX_BACKEND_SCAN_PROBE);
    });

    EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
    EXPECT_EQ(child.findings.size(), 1U);
    return child.findings.empty() ? Finding() : child.findings[0];
}

/* What it takes to be denied a ring: the plugin, which is not built without liburing. */
class DeniedRing : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        if (!fs::exists("lib/aiox/fdmon-1/fdmon_io_uring.so")) {
            GTEST_SKIP() << "built without liburing";
        }
    }
};

/* The machine of the test may have no io_uring in the first place. */
bool HasIoUring()
{
    return ProbeAfter("io_uring", [] {}).stage == AIOX_BACKEND_CHOSEN;
}

void ExpectRefusal(const Finding &f, int error, aiox_fdmon_cause cause)
{
    EXPECT_EQ(f.stage, AIOX_BACKEND_PROBE) << Words(f);
    EXPECT_EQ(f.error, error) << Words(f);
    EXPECT_EQ(f.cause, cause) << Words(f);
    EXPECT_STRNE(f.text, "");
    EXPECT_STRNE(f.hint, "") << "what to change";
}

TEST_F(DeniedRing, ByAPolicy)
{
    if (!HasIoUring()) {
        GTEST_SKIP() << "no io_uring here";
    }
    for (unsigned call : {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register}) {
        ExpectRefusal(ProbeAfter("io_uring", [=] { Deny(call, EPERM); }), -EPERM,
                      AIOX_FDMON_CAUSE_DENIED);
    }
}

TEST_F(DeniedRing, ByAKernelWithoutIt)
{
    ExpectRefusal(ProbeAfter("io_uring", [] { Deny(SYS_io_uring_setup, ENOSYS); }), -ENOSYS,
                  AIOX_FDMON_CAUSE_MISSING);
}

TEST_F(DeniedRing, ByTooLittleMemory)
{
    ExpectRefusal(ProbeAfter("io_uring", [] { Deny(SYS_io_uring_setup, ENOMEM); }), -ENOMEM,
                  AIOX_FDMON_CAUSE_LIMIT);
}

TEST(Denied, EpollByAPolicy)
{
    ExpectRefusal(ProbeAfter("epoll", [] { Deny(SYS_epoll_create1, EPERM); }), -EPERM,
                  AIOX_FDMON_CAUSE_DENIED);
}

Finding ProbeWithoutDescriptors(const char *name)
{
    return ProbeAfter(name, [] {
        rlimit none = {0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
    });
}

TEST(Denied, EpollForLackOfDescriptors)
{
    ExpectRefusal(ProbeWithoutDescriptors("epoll"), -EMFILE, AIOX_FDMON_CAUSE_LIMIT);
}

TEST_F(DeniedRing, ForLackOfDescriptors)
{
    Finding f = ProbeWithoutDescriptors("io_uring");

    if (f.error != -EPERM && f.error != -ENOSYS) { /* a machine without io_uring */
        ExpectRefusal(f, -EMFILE, AIOX_FDMON_CAUSE_LIMIT);
    }
}

/* A loop in a child in which @call is denied: the name of its backend, or its error. */
std::string LoopWithout(unsigned call, const char *spec, const char *path)
{
    std::string name = "none";

    Child child = RunInChild([&](std::vector<Finding> *findings) {
        static aiox_fdmon_entry_fn *const kLinkedIn[] = {aiox_fdmon_poll, nullptr};
        aiox_backend_sources sources = {};
        aiox_context *ctx;
        aiox_error err = {};
        aiox_backend_info info = {};
        Finding result = {};

        Deny(call, EPERM);
        sources.linked_in = kLinkedIn;
        sources.path = path;
        if (aiox_context_new(&ctx, &sources, &err) != 0) {
            _exit(1);
        }
        int error = aiox_context_setup(ctx, spec, &err);
        aiox_context_backend_info(ctx, &info);
        snprintf(result.name, sizeof(result.name), "%s", info.name);
        snprintf(result.text, sizeof(result.text), "%s", err.message);
        result.error = error;
        findings->push_back(result);
        aiox_notify(ctx);
        aiox_poll(ctx, true);
        aiox_context_unref(ctx);
    });

    EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
    if (!child.findings.empty()) {
        name = child.findings[0].error ? child.findings[0].text : child.findings[0].name;
    }
    return name;
}

TEST(Denied, ALoopFallsThrough)
{
    std::string path = fs::path(Plugin("epoll")).parent_path().string();

    EXPECT_EQ(LoopWithout(SYS_io_uring_setup, "io_uring,epoll", path.c_str()), "epoll");
    EXPECT_EQ(LoopWithout(SYS_epoll_create1, "epoll,poll", path.c_str()), "poll");
    EXPECT_EQ(LoopWithout(SYS_epoll_create1, "auto,-io_uring", path.c_str()), "poll");
}

TEST_F(DeniedRing, ByNameItIsAnErrorThatSaysEverything)
{
    std::string path = fs::path(Plugin("epoll")).parent_path().string();

    std::string words = LoopWithout(SYS_io_uring_setup, "io_uring", path.c_str());

    for (const char *word : {"backend 'io_uring'", "fdmon_io_uring.so", "probe", "denied by policy",
                             "io_uring_setup: Operation not permitted"}) {
        EXPECT_NE(words.find(word), std::string::npos) << word << " in: " << words;
    }
}

/* Kernels before 5.12 count a ring as locked memory, later ones do not. */
TEST_F(DeniedRing, WithoutLockedMemoryItWorksOrSaysSo)
{
    Finding f = ProbeAfter("io_uring", [] {
        rlimit none = {0, 0};
        setrlimit(RLIMIT_MEMLOCK, &none);
    });

    if (f.stage != AIOX_BACKEND_CHOSEN) {
        EXPECT_EQ(f.stage, AIOX_BACKEND_PROBE);
        EXPECT_STRNE(f.hint, "") << Words(f);
    }
}
} // namespace
