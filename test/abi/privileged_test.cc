/* SPDX-License-Identifier: MIT */
/*
 * privileged_test.cc - users that do not trust each other.
 *
 * Needs root, because files must belong to somebody else. Without, each test
 * says so and is skipped.
 */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aiox/attributes.h"
#include "test/abi/workshop.h"

namespace
{
namespace fs = std::filesystem;
using aiox_test::Child;
using aiox_test::Finding;
using aiox_test::ReadFile;
using aiox_test::RunInChild;
using aiox_test::ScanHere;
using aiox_test::Words;
using aiox_test::WriteFile;

/* The leak checker ends a program that it may not look into, and reads no environment there. */
constexpr bool kLeakCheckerInTheWay = AIOX_ASAN;

constexpr uid_t kStranger = 12345;
constexpr uid_t kUser = 12346;

class Users : public aiox_test::Workshop
{
  protected:
    /* Where every user may go. */
    Users() : Workshop("/tmp")
    {
        EXPECT_EQ(chmod(dir_.c_str(), 0755), 0);
    }

    void SetUp() override
    {
        if (geteuid() != 0 || chown(dir_.c_str(), kStranger, kStranger) != 0) {
            GTEST_SKIP() << "only root can give files away";
        }
        ASSERT_EQ(chown(dir_.c_str(), 0, 0), 0);
    }

    std::string MakeDir(const std::string &name, uid_t owner)
    {
        EXPECT_EQ(mkdir(In(name).c_str(), 0755), 0);
        EXPECT_EQ(chown(In(name).c_str(), owner, owner), 0);
        return In(name);
    }

    /* A copy of a file of the tree with its own name. */
    std::string Copy(const std::string &from, const std::string &to, uid_t owner, mode_t mode)
    {
        WriteFile(to, ReadFile(from));
        EXPECT_EQ(chown(to.c_str(), owner, owner), 0);
        EXPECT_EQ(chmod(to.c_str(), mode), 0);
        return to;
    }

    std::string CopyPlugin(const std::string &dir, uid_t owner)
    {
        return Copy(aiox_test::PluginOfTheTree("tiny"), dir + "/fdmon_tiny.so", owner, 0644);
    }

    /* As Look(), in a process of @uid. */
    Finding LookAs(uid_t uid, const std::string &file,
                   aiox_backend_scan_mode mode = AIOX_BACKEND_SCAN_FILES)
    {
        Child child = RunInChild([&](std::vector<Finding> *findings) {
            if (setgroups(0, nullptr) != 0 || setgid(uid) != 0 || setuid(uid) != 0) {
                _exit(97);
            }
            *findings = ScanHere(file.c_str(), mode);
        });

        EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
        return child.findings.empty() ? Finding() : child.findings[0];
    }

    /* Runs a program as @uid with a clean environment; its output. */
    std::string RunAs(uid_t uid, const std::vector<std::string> &words,
                      const std::vector<std::string> &environment, bool in_user_namespace = false)
    {
        std::string out = In("out");
        int fd = open(out.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

        Child child = RunInChild([&](std::vector<Finding> *) {
            std::vector<char *> argv, envp;
            for (const std::string &word : words) {
                argv.push_back(const_cast<char *>(word.c_str()));
            }
            for (const std::string &variable : environment) {
                envp.push_back(const_cast<char *>(variable.c_str()));
            }
            argv.push_back(nullptr);
            envp.push_back(nullptr);
            dup2(fd, 1);
            if (setgroups(0, nullptr) != 0 || setgid(uid) != 0 || setuid(uid) != 0 ||
                (in_user_namespace && !MapOnly(uid))) {
                _exit(77);
            }
            execve(argv[0], argv.data(), envp.data());
            _exit(98);
        });
        close(fd);
        status_ = child.status;
        return ReadFile(out);
    }

    /* A user namespace that knows @uid and nobody else. */
    static bool MapOnly(uid_t uid)
    {
        std::string line = std::to_string(uid) + " " + std::to_string(uid) + " 1";

        /* Whoever has changed his user has lost his own files in /proc. */
        if (prctl(PR_SET_DUMPABLE, 1) != 0 || unshare(CLONE_NEWUSER) != 0) {
            return false;
        }
        int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
        bool is_written = write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
        close(fd);
        return is_written;
    }

    int status_ = 0;
};

TEST_F(Users, AStrangersFileIsRefused)
{
    std::string path = CopyPlugin(dir_, kStranger);

    EXPECT_EQ(Words(Look(path)),
              "find EACCES: " + path + " belongs to user 12345, who is neither root nor user 0");
    EXPECT_EQ(Loads(), 0U);
}

TEST_F(Users, AFileInAStrangersDirectoryIsRefused)
{
    std::string dir = MakeDir("strange", kStranger);
    MakeDir("strange/inner", 0);
    std::string path = CopyPlugin(In("strange/inner"), 0);

    EXPECT_EQ(Words(Look(path)),
              "find EACCES: " + dir + " belongs to user 12345, who is neither root nor user 0");
    EXPECT_EQ(Loads(), 0U);
}

TEST_F(Users, OnesOwnAndRootsFilesAreGood)
{
    std::string own = CopyPlugin(MakeDir("own", kUser), kUser);
    std::string roots = CopyPlugin(MakeDir("roots", 0), 0);

    EXPECT_EQ(Words(LookAs(kUser, own)), "chosen 0: ");
    EXPECT_EQ(Words(LookAs(kUser, roots)), "chosen 0: ");
    EXPECT_EQ(Words(LookAs(kStranger, own)),
              "find EACCES: " + In("own") +
                  " belongs to user 12346, who is neither root nor user 12345");
}

TEST_F(Users, AFileThatCannotBeReadIsSaid)
{
    std::string path = CopyPlugin(dir_, 0);
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);

    EXPECT_EQ(Words(LookAs(kUser, path)), "find EACCES: cannot be opened: Permission denied");
}

TEST_F(Users, NobodyWithoutLockedMemoryGetsARingOrAReason)
{
    const std::string ring = "lib/aiox/fdmon-1/fdmon_io_uring.so";
    if (!fs::exists(ring)) {
        GTEST_SKIP() << "built without liburing";
    }
    std::string path = Copy(ring, In("fdmon_io_uring.so"), 0, 0644);
    rlimit old, none = {0, 0};
    ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &old), 0);
    none.rlim_max = old.rlim_max;
    ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);

    Finding f = LookAs(kUser, path, AIOX_BACKEND_SCAN_PROBE);

    setrlimit(RLIMIT_MEMLOCK, &old);
    if (f.stage != AIOX_BACKEND_CHOSEN) {
        EXPECT_EQ(f.stage, AIOX_BACKEND_PROBE) << Words(f);
        EXPECT_STRNE(f.hint, "") << Words(f);
    }
}

/* A build sandbox of an ordinary user: root has no name there. */
TEST_F(Users, WhereRootHasNoNameTheProgramsOwnPlaceIsGood)
{
    std::string place = MakeDir("place", kUser);
    MakeDir("place/fdmon", kUser);
    MakeDir("other", 0);
    std::string tool = Copy("tools/aiox_fdmon/aiox-fdmon", place + "/aiox-fdmon", kUser, 0755);
    std::string own = CopyPlugin(In("place/fdmon"), kUser);
    std::string roots = CopyPlugin(In("other"), 0);

    std::string good = RunAs(kUser, {tool, "info", own, "--no-exec"}, {}, true);
    if (WIFEXITED(status_) && WEXITSTATUS(status_) == 77) {
        GTEST_SKIP() << "no user namespace can be made here";
    }
    EXPECT_EQ(status_, 0) << good;

    std::string bad = RunAs(kUser, {tool, "info", roots, "--no-exec"}, {}, true);
    EXPECT_NE(status_, 0);
    EXPECT_NE(bad.find(In("other") + " belongs to user 65534"), std::string::npos) << bad;
}

class Secure : public Users
{
  protected:
    /* bin/aiox-fdmon with its plugins beside it, as installed. */
    void SetUp() override
    {
        Users::SetUp();
        if (IsSkipped()) {
            return;
        }
        if (kLeakCheckerInTheWay) {
            GTEST_SKIP() << "the leak checker cannot look into a privileged process";
        }
        for (const char *dir : {"bin", "lib", "lib/aiox", "lib/aiox/fdmon-1", "named"}) {
            MakeDir(dir, 0);
        }
        tool_ = Copy("tools/aiox_fdmon/aiox-fdmon", In("bin/aiox-fdmon"), 0, 0755);
        CopyPlugin(In("named"), 0);
        Copy("lib/aiox/fdmon-1/fdmon_epoll.so", In("lib/aiox/fdmon-1/fdmon_epoll.so"), 0, 0644);
    }

    std::string Doctor()
    {
        return RunAs(kUser, {tool_, "doctor"},
                     {"AIOX_FDMON=tiny,poll", "AIOX_FDMON_PATH=" + In("named"),
                      "AIOX_TEST_MARKER=" + In("marker")});
    }

    void ExpectNothingOfTheEnvironment(const std::string &words)
    {
        EXPECT_EQ(status_, 0) << words;
        EXPECT_NE(words.find("environment ignored"), std::string::npos) << words;
        EXPECT_NE(words.find("auto (default)"), std::string::npos) << words;
        EXPECT_EQ(words.find(In("named/")), std::string::npos) << words;
        EXPECT_EQ(words.find(In("lib")), std::string::npos) << "beside the program: " << words;
        EXPECT_EQ(Loads(), 0U);
    }

    std::string tool_;
};

TEST_F(Secure, AnOrdinaryProcessTakesWhatTheEnvironmentSays)
{
    std::string words = Doctor();

    EXPECT_EQ(status_, 0) << words;
    EXPECT_NE(words.find("tiny,poll (AIOX_FDMON)"), std::string::npos) << words;
    EXPECT_NE(words.find(In("named/fdmon_tiny.so")), std::string::npos) << words;
    EXPECT_NE(words.find(In("lib/aiox/fdmon-1/fdmon_epoll.so")), std::string::npos) << words;
}

TEST_F(Secure, ASetuidProgramReadsNoneOfIt)
{
    ASSERT_EQ(chmod(tool_.c_str(), 04755), 0);

    std::string words = Doctor();

    if (words.find("environment ignored") == std::string::npos) {
        GTEST_SKIP() << "setuid has no effect here (nosuid)";
    }
    ExpectNothingOfTheEnvironment(words);
}

TEST_F(Secure, ASetgidProgramReadsNoneOfIt)
{
    ASSERT_EQ(chmod(tool_.c_str(), 02755), 0);

    std::string words = Doctor();

    if (words.find("environment ignored") == std::string::npos) {
        GTEST_SKIP() << "setgid has no effect here (nosuid)";
    }
    ExpectNothingOfTheEnvironment(words);
}

TEST_F(Secure, AProgramWithCapabilitiesReadsNoneOfIt)
{
    std::string setcap = fs::exists("/usr/sbin/setcap") ? "/usr/sbin/setcap" : "/sbin/setcap";
    if (system((setcap + " cap_net_raw+ep " + tool_ + " 2>/dev/null").c_str()) != 0) {
        GTEST_SKIP() << "setcap is missing, or has no effect on this file system";
    }

    std::string words = Doctor();

    if (words.find("environment ignored") == std::string::npos) {
        GTEST_SKIP() << "file capabilities have no effect here (nosuid)";
    }
    ExpectNothingOfTheEnvironment(words);
}
} // namespace
