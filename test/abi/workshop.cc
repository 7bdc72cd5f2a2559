/* SPDX-License-Identifier: MIT */
/* workshop.cc - a trusted directory for plugins, and children that may die of them. */
#include "test/abi/workshop.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/wait.h>
#include <unistd.h>

#include "aiox/error.h"

extern "C" const aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

namespace aiox_test
{
namespace fs = std::filesystem;

std::string Child::HowItEnded() const
{
    if (WIFSIGNALED(status)) {
        return std::string("killed: ") + strsignal(WTERMSIG(status));
    }
    return "exited with " + std::to_string(WEXITSTATUS(status));
}

/* Reads findings until the other end is closed. */
static std::vector<Finding> ReadAll(int fd)
{
    std::vector<Finding> all;
    Finding one;
    size_t got = 0;

    for (;;) {
        ssize_t n = read(fd, reinterpret_cast<char *>(&one) + got, sizeof(one) - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return all;
        }
        got += static_cast<size_t>(n);
        if (got == sizeof(one)) {
            all.push_back(one);
            got = 0;
        }
    }
}

static void WriteAll(int fd, const std::vector<Finding> &findings)
{
    const char *at = reinterpret_cast<const char *>(findings.data());
    size_t left = findings.size() * sizeof(Finding);

    while (left > 0) {
        ssize_t n = write(fd, at, left);
        if (n < 0 && errno != EINTR) {
            _exit(98);
        }
        at += n > 0 ? n : 0;
        left -= n > 0 ? static_cast<size_t>(n) : 0;
    }
}

Child RunInChild(const std::function<void(std::vector<Finding> *)> &body)
{
    Child child;
    int ends[2];

    if (pipe(ends) != 0) {
        ADD_FAILURE() << "pipe: " << strerror(errno);
        return child;
    }
    pid_t pid = fork();
    if (pid == 0) {
        std::vector<Finding> findings;
        close(ends[0]);
        alarm(60);
        body(&findings);
        WriteAll(ends[1], findings);
        _exit(0);
    }
    close(ends[1]);
    child.findings = ReadAll(ends[0]);
    close(ends[0]);
    while (waitpid(pid, &child.status, 0) < 0 && errno == EINTR) {
    }
    return child;
}

static bool Note(void *opaque, const aiox_backend_report *r, const aiox_fdmon_plugin *plugin)
{
    Finding finding = {};

    static_cast<aiox_backend_report &>(finding) = *r;
    finding.has_plugin = plugin != nullptr;
    static_cast<std::vector<Finding> *>(opaque)->push_back(finding);
    return true;
}

std::vector<Finding> ScanHere(const char *only, aiox_backend_scan_mode mode, const char *path)
{
    static aiox_fdmon_entry_fn *const kLinkedIn[] = {aiox_fdmon_poll, nullptr};
    std::vector<Finding> findings;
    aiox_backend_sources sources = {};

    sources.linked_in = kLinkedIn;
    sources.path = path;
    int count = aiox_backend_scan(&sources, mode, only, Note, &findings);
    EXPECT_EQ(count, static_cast<int>(findings.size()));
    return findings;
}

std::string ReadFile(const std::string &path)
{
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;

    EXPECT_TRUE(in.good()) << path;
    out << in.rdbuf();
    return out.str();
}

void WriteFile(const std::string &path, const std::string &bytes)
{
    std::ofstream out(path, std::ios::binary | std::ios::trunc);

    out << bytes;
    out.close();
    EXPECT_TRUE(out.good()) << path;
}

std::string PluginOfTheTree(const std::string &name)
{
    return (fs::current_path() / "test/abi" / ("fdmon_" + name + ".so")).string();
}

Workshop::Workshop(const char *top)
{
    const char *ours = getenv("TEST_TMPDIR");
    std::string name = std::string(top ? top : ours ? ours : "/tmp") + "/abi_XXXXXX";

    /* Made for the user alone; the path has no links, so that messages can be compared. */
    EXPECT_NE(mkdtemp(name.data()), nullptr) << name << ": " << strerror(errno);
    dir_ = fs::canonical(name).string();
    setenv("AIOX_TEST_MARKER", In("marker").c_str(), 1);
    unsetenv("AIOX_TEST_FAULT");
}

Workshop::~Workshop()
{
    unsetenv("AIOX_TEST_MARKER");
    unsetenv("AIOX_TEST_FAULT");
    fs::remove_all(dir_);
}

std::string Workshop::Install(const std::string &name) const
{
    std::string path = In("fdmon_" + name + ".so");

    WriteFile(path, ReadFile(PluginOfTheTree(name)));
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    return path;
}

Finding Workshop::Look(const std::string &file, aiox_backend_scan_mode mode) const
{
    Child child = RunInChild(
        [&](std::vector<Finding> *findings) { *findings = ScanHere(file.c_str(), mode); });

    EXPECT_TRUE(child.IsWell()) << child.HowItEnded();
    EXPECT_EQ(child.findings.size(), 1U);
    return child.findings.empty() ? Finding() : child.findings[0];
}

size_t Workshop::Loads() const
{
    std::error_code none;
    auto size = fs::file_size(In("marker"), none);

    return none ? 0 : static_cast<size_t>(size);
}

std::string Words(const aiox_backend_report &r)
{
    return std::string(aiox_backend_stage_text(r.stage)) + " " +
           (r.error ? aiox_error_name(r.error) : "0") + ": " + r.text;
}
} // namespace aiox_test
