/* SPDX-License-Identifier: MIT */
/* aiox_fdmon_test.cc - what people and programs are told about backends. */
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace
{
namespace fs = std::filesystem;

struct Result {
    int code = -1;
    std::string out; /* stdout, then stderr */

    bool Has(const std::string &words) const
    {
        return out.find(words) != std::string::npos;
    }
};

Result Shell(const std::string &command)
{
    Result result;
    char some[4096];
    FILE *pipe = popen(("{ " + command + "; } 2>&1").c_str(), "r");
    size_t n;

    while ((n = fread(some, 1, sizeof(some), pipe)) > 0) {
        result.out.append(some, n);
    }
    int status = pclose(pipe);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

class Tool : public ::testing::Test
{
  protected:
    Tool()
    {
        std::string name = std::string(getenv("TEST_TMPDIR") ? getenv("TEST_TMPDIR") : "/tmp");
        name += "/tool_XXXXXX";
        dir_ = mkdtemp(name.data()) ? name : "";
        dir_ = fs::canonical(dir_).string();
        for (const char *variable : {"AIOX_FDMON", "AIOX_FDMON_OPTS", "AIOX_TEST_FAULT"}) {
            unsetenv(variable);
        }
        Install("lib/aiox/fdmon-1/fdmon_epoll.so", "fdmon_epoll.so");
        Install("lib/aiox/fdmon-1/fdmon_poll.so", "fdmon_poll.so");
        Install("test/abi/fdmon_tiny.so", "fdmon_tiny.so");
        setenv("AIOX_FDMON_PATH", dir_.c_str(), 1);
        setenv("AIOX_TEST_MARKER", In("marker").c_str(), 1);
    }

    ~Tool() override
    {
        for (const char *variable : {"AIOX_FDMON", "AIOX_FDMON_OPTS", "AIOX_FDMON_PATH",
                                     "AIOX_TEST_FAULT", "AIOX_TEST_MARKER"}) {
            unsetenv(variable);
        }
        fs::remove_all(dir_);
    }

    std::string In(const std::string &name) const
    {
        return dir_ + "/" + name;
    }

    void Install(const std::string &from, const std::string &to)
    {
        fs::copy_file(from, In(to));
        fs::permissions(In(to), fs::perms::owner_read | fs::perms::owner_write);
    }

    static Result Run(const std::string &arguments)
    {
        return Shell("tools/aiox_fdmon/aiox-fdmon " + arguments);
    }

    /* Evaluates a Python expression about the JSON @d that the tool printed. */
    static std::string Ask(const std::string &arguments, const std::string &expression)
    {
        Result r = Shell("tools/aiox_fdmon/aiox-fdmon --json " + arguments +
                         " | python3 -c 'import json, sys; d = json.load(sys.stdin); print(" +
                         expression + ")'");
        EXPECT_EQ(r.code, 0) << r.out;
        return r.out.substr(0, r.out.find('\n'));
    }

    std::string dir_;
};

TEST_F(Tool, HelpIsNoMistake)
{
    Result r = Run("--help");

    EXPECT_EQ(r.code, 0);
    for (const char *word : {"list", "info", "probe", "doctor", "--json"}) {
        EXPECT_TRUE(r.Has(word)) << word;
    }
}

TEST_F(Tool, WrongUsageIsTwo)
{
    for (const char *bad : {"", "lst", "list x", "info", "info a b", "probe a b", "doctor x",
                            "--nonsense", "probe --all", "list --no-exec"}) {
        EXPECT_EQ(Run(bad).code, 2) << bad;
    }
    EXPECT_TRUE(Run("lst").Has("no such command: 'lst'"));
}

TEST_F(Tool, ListShowsWhatThereIs)
{
    Result r = Run("list");

    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_TRUE(r.Has("linked in")) << r.out;
    EXPECT_TRUE(r.Has(In("fdmon_epoll.so"))) << r.out;
    EXPECT_FALSE(r.Has("shadowed")) << r.out;
}

TEST_F(Tool, ListAllShowsShadowedOnes)
{
    Result r = Run("list --all");

    EXPECT_TRUE(r.Has(In("fdmon_poll.so") + ": shadowed by the one that is linked in")) << r.out;
}

TEST_F(Tool, ListTellsWhyAFileIsRefused)
{
    fs::resize_file(In("fdmon_epoll.so"), 5000);
    chmod(In("fdmon_tiny.so").c_str(), 0666);

    Result r = Run("list");

    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_TRUE(r.Has("cut short")) << r.out;
    EXPECT_TRUE(r.Has("is writable by everybody")) << r.out;
}

/* The ring backend needs a library; here it needs one that nobody has. */
TEST_F(Tool, ListTellsWhichLibraryIsMissing)
{
    const std::string ring = "lib/aiox/fdmon-1/fdmon_io_uring.so";
    if (!fs::exists(ring)) {
        GTEST_SKIP() << "built without liburing";
    }
    std::ifstream file(ring, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    size_t at = bytes.find("liburing.so.2");
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, 8, "libnoone");
    std::ofstream(In("fdmon_io_uring.so"), std::ios::binary) << bytes;

    Result r = Run("list");

    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_TRUE(r.Has("libnoone.so.2: cannot open shared object file")) << r.out;
    EXPECT_TRUE(r.Has("install libnoone.so.2 (libnoone2 in Debian)")) << r.out;
}

TEST_F(Tool, ListTellsWhyABackendDoesNotWorkHere)
{
    setenv("AIOX_TEST_FAULT", "probe", 1);

    Result r = Run("list");

    unsetenv("AIOX_TEST_FAULT");
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_TRUE(r.Has("unusable")) << r.out;
    EXPECT_TRUE(r.Has("usable    linked in")) << r.out;
    EXPECT_TRUE(r.Has("known fault: the moon is full (wait)")) << r.out;
}

TEST_F(Tool, ListIsJson)
{
    EXPECT_EQ(Ask("list", "[b[\"rank\"] for b in d if b[\"name\"] == \"tiny\"][0]"), "-1");
    EXPECT_EQ(Ask("list", "[b[\"linked_in\"] for b in d if b[\"name\"] == \"poll\"]"), "[True]");
    EXPECT_EQ(Ask("list --all", "sorted(set(b[\"stage\"] for b in d if b[\"name\"] == \"poll\"))"),
              "['chosen', 'skipped']");
}

TEST_F(Tool, InfoTellsWhatABackendSays)
{
    Result r = Run("info epoll");

    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_TRUE(r.Has("many_fds")) << r.out;
    EXPECT_TRUE(r.Has("license")) << r.out;
    EXPECT_EQ(Ask("info epoll", "\"level\" in d[0][\"caps\"], d[0][\"abi_major\"]"), "True 1");
}

TEST_F(Tool, InfoOfAFileTakesAnyPath)
{
    EXPECT_EQ(Run("info " + In("fdmon_tiny.so")).code, 0);
    EXPECT_EQ(Run("info lib/aiox/fdmon-1/fdmon_epoll.so").code, 0);
    EXPECT_EQ(Run("info /nowhere/fdmon_x.so").code, 1);
}

TEST_F(Tool, NoExecRunsNothingOfAFile)
{
    Result r = Run("info tiny --no-exec");

    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_TRUE(r.Has("0.1.0")) << r.out;
    EXPECT_FALSE(fs::exists(In("marker")));

    EXPECT_EQ(Run("info tiny").code, 0);
    EXPECT_TRUE(fs::exists(In("marker")));
}

TEST_F(Tool, InfoOfABrokenOneIsOne)
{
    fs::resize_file(In("fdmon_tiny.so"), 5000);

    Result r = Run("info tiny --no-exec");

    EXPECT_EQ(r.code, 1);
    EXPECT_TRUE(r.Has("cut short")) << r.out;
    EXPECT_EQ(Run("info nonsense").code, 1);
}

TEST_F(Tool, ProbeSaysWhetherItWorks)
{
    EXPECT_EQ(Run("probe epoll").code, 0);
    EXPECT_TRUE(Run("probe epoll").Has("usable"));

    setenv("AIOX_TEST_FAULT", "probe", 1);
    Result r = Run("probe tiny");
    EXPECT_EQ(r.code, 1);
    EXPECT_TRUE(r.Has("unusable")) << r.out;
    EXPECT_TRUE(r.Has("probe  known fault: the moon is full (wait)")) << r.out;
    EXPECT_EQ(Ask("probe tiny", "d[0][\"error\"], d[0][\"cause\"], d[0][\"hint\"]"),
              "EIO known fault wait");
    EXPECT_EQ(Run("probe").code, 0) << "poll works everywhere";
    EXPECT_EQ(Run("probe nonsense").code, 1);
}

TEST_F(Tool, DoctorTellsTheChoiceAndTheReasons)
{
    setenv("AIOX_FDMON", "nonsense,epoll", 1);

    Result r = Run("doctor");

    EXPECT_EQ(r.code, 0) << r.out;
    for (const char *word : {"kernel", "seccomp", "kernel.io_uring_disabled", "locked_memory",
                             "nonsense,epoll (AIOX_FDMON)", "no such backend"}) {
        EXPECT_TRUE(r.Has(word)) << word << "\n" << r.out;
    }
    EXPECT_EQ(Ask("doctor", "d[\"chosen\"], d[\"said_by\"], d[\"candidates\"][0][\"stage\"]"),
              "epoll AIOX_FDMON find");
}

TEST_F(Tool, DoctorIsOneWhenNothingWorks)
{
    setenv("AIOX_FDMON", "nonsense", 1);

    EXPECT_EQ(Run("doctor").code, 1);
    EXPECT_EQ(Run("--json doctor | python3 -m json.tool >/dev/null").code, 0);
}

/* Whatever bytes there are in names and paths. */
TEST_F(Tool, JsonIsValidWhateverTheBytes)
{
    fs::create_directory(In("\xff\"\\\n\t\x01"));
    fs::copy_file(In("fdmon_tiny.so"), In("\xff\"\\\n\t\x01") + "/fdmon_x.so");
    setenv("AIOX_FDMON_PATH", In("\xff\"\\\n\t\x01").c_str(), 1);

    EXPECT_EQ(Ask("list", "len([b for b in d if b[\"name\"] == \"x\"])"), "1");
}

TEST_F(Tool, AFullDiskIsAnError)
{
    EXPECT_EQ(Shell("tools/aiox_fdmon/aiox-fdmon list >/dev/full").code, 1);
}
} // namespace
