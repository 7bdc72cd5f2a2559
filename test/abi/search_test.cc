/* SPDX-License-Identifier: MIT */
/* search_test.cc - where files are looked for, and whose files are taken. */
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/abi/workshop.h"

namespace
{
namespace fs = std::filesystem;
using aiox_test::Child;
using aiox_test::Finding;
using aiox_test::RunInChild;
using aiox_test::ScanHere;
using aiox_test::Words;

class Search : public aiox_test::Workshop
{
  protected:
    std::string MakeDir(const std::string &name, mode_t mode)
    {
        EXPECT_EQ(mkdir(In(name).c_str(), 0700), 0);
        EXPECT_EQ(chmod(In(name).c_str(), mode), 0);
        return In(name);
    }

    /* A plugin in a directory of its own. */
    std::string InstallIn(const std::string &dir)
    {
        fs::copy_file(Install("tiny"), dir + "/fdmon_tiny.so");
        fs::permissions(dir + "/fdmon_tiny.so", fs::perms::owner_read);
        fs::remove(In("fdmon_tiny.so"));
        return dir + "/fdmon_tiny.so";
    }

    /* What is found of the name tiny, or without a name, when @path is searched. */
    std::vector<Finding> Found(const std::string &path)
    {
        std::vector<Finding> all;

        for (const Finding &f : ScanHere(nullptr, AIOX_BACKEND_SCAN_FILES, path.c_str())) {
            if (!f.name[0] || std::string(f.name) == "tiny") {
                all.push_back(f);
            }
        }
        return all;
    }
};

TEST_F(Search, ATrustedDirectoryIsSearched)
{
    std::string path = Install("tiny");

    std::vector<Finding> found = Found("/nowhere:" + dir_ + "/.:" + dir_);

    ASSERT_EQ(found.size(), 2U) << "the same directory twice is searched once";
    EXPECT_EQ(Words(found[0]), "find ENOENT: No such file or directory");
    EXPECT_STREQ(found[0].path, "/nowhere");
    EXPECT_EQ(Words(found[1]), "chosen 0: ");
    EXPECT_EQ(found[1].path, path);
}

TEST_F(Search, TheFirstOfANameShadowsTheRest)
{
    std::string first = InstallIn(MakeDir("a", 0700));
    std::string second = InstallIn(MakeDir("b", 0700));

    std::vector<Finding> found = Found(In("b") + ":" + In("a"));

    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].path, second);
    EXPECT_EQ(found[0].stage, AIOX_BACKEND_CHOSEN);
    EXPECT_EQ(found[1].path, first);
    EXPECT_EQ(found[1].stage, AIOX_BACKEND_SKIPPED);
    EXPECT_EQ(found[1].text, "shadowed by " + second.substr(0, 200));
}

TEST_F(Search, ARelativeDirectoryIsNotSearched)
{
    Install("tiny");
    fs::path old = fs::current_path();
    fs::current_path(dir_);

    std::vector<Finding> found = Found(".");

    fs::current_path(old);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(Words(found[0]), "find EINVAL: not an absolute path of a directory");
    EXPECT_STREQ(found[0].path, ".");
}

TEST_F(Search, WhatIsNoDirectoryIsSaid)
{
    std::vector<Finding> found = Found(Install("tiny"));

    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(Words(found[0]), "find ENOTDIR: the directory cannot be read: Not a directory");
}

TEST_F(Search, ADirectoryThatOthersCanWriteIsRefused)
{
    for (mode_t mode : {0777, 0757, 0775}) {
        std::string dir = MakeDir("dir", mode);
        std::string path = InstallIn(dir);

        std::vector<Finding> found = Found(dir);

        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(Words(found[0]), "find EACCES: " + dir + " is writable by " +
                                       (mode & S_IWOTH ? "everybody" : "its group"));
        EXPECT_EQ(found[0].cause, AIOX_FDMON_CAUSE_DENIED);
        EXPECT_EQ(found[0].path, path);
        EXPECT_STRNE(found[0].hint, "");
        fs::remove_all(dir);
    }
}

TEST_F(Search, ADirectoryAboveThatOthersCanWriteIsRefused)
{
    std::string above = MakeDir("above", 0777);
    MakeDir("above/dir", 0755);
    InstallIn(In("above/dir"));

    std::vector<Finding> found = Found(In("above/dir"));

    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(Words(found[0]), "find EACCES: " + above + " is writable by everybody");
}

TEST_F(Search, AStickyDirectoryIsGood)
{
    std::string dir = MakeDir("dir", 01777);
    InstallIn(dir);

    std::vector<Finding> found = Found(dir);

    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(Words(found[0]), "chosen 0: ");
}

TEST_F(Search, AFileThatOthersCanWriteIsRefused)
{
    std::string path = InstallIn(MakeDir("dir", 0700));
    for (mode_t mode : {0606, 0660, 01606}) {
        chmod(path.c_str(), mode);

        std::vector<Finding> found = Found(In("dir"));

        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(Words(found[0]), "find EACCES: " + path + " is writable by " +
                                       (mode & S_IWOTH ? "everybody" : "its group"));
    }
}

TEST_F(Search, ALinkIsJudgedByWhatItLeadsTo)
{
    std::string good = InstallIn(MakeDir("good", 0700));
    std::string bad = InstallIn(MakeDir("bad", 0777));
    MakeDir("links", 0700);
    std::string link = In("links/fdmon_tiny.so");

    fs::create_symlink(good, link);
    std::vector<Finding> found = Found(In("links"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(Words(found[0]), "chosen 0: ");
    EXPECT_EQ(found[0].path, good) << "this is what is opened";

    fs::remove(link);
    fs::create_symlink(bad, link);
    found = Found(In("links"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(Words(found[0]), "find EACCES: " + In("bad") + " is writable by everybody");
}

TEST_F(Search, DotDotIsJudgedByWhereItLeads)
{
    InstallIn(MakeDir("good", 0700));
    InstallIn(MakeDir("bad", 0777));

    EXPECT_EQ(Words(Found(In("bad/../good"))[0]), "chosen 0: ");
    EXPECT_EQ(Words(Found(In("good/../bad"))[0]),
              "find EACCES: " + In("bad") + " is writable by everybody");
}

/* Else a stranger could keep the system's own plugin from being found. */
TEST_F(Search, ARefusedFileShadowsNothing)
{
    InstallIn(MakeDir("bad", 0777));
    InstallIn(MakeDir("good", 0700));

    std::vector<Finding> found = Found(In("bad") + ":" + In("good"));

    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].stage, AIOX_BACKEND_FIND);
    EXPECT_EQ(Words(found[1]), "chosen 0: ");
}

TEST_F(Search, APathThatIsTooLongIsRefused)
{
    std::string dir = dir_;
    for (int i = 0; i < 4; i++) {
        dir += "/" + std::string(60, 'x');
        ASSERT_EQ(mkdir(dir.c_str(), 0700), 0);
    }
    InstallIn(dir);

    std::vector<Finding> found = Found(dir);

    ASSERT_FALSE(found.empty());
    EXPECT_EQ(Words(found[0]), "find ENAMETOOLONG: its path is longer than 255 bytes");
}

/* In a user namespace that maps nobody, root and strangers have the same number. */
TEST_F(Search, AnUnknownOwnerIsTrustedAboveTheProgramOnly)
{
    std::string path = Install("tiny");
    std::string program = fs::read_symlink("/proc/self/exe").string();
    bool is_made = true;

    Child child = RunInChild([&](std::vector<Finding> *findings) {
        if (unshare(CLONE_NEWUSER) != 0) {
            _exit(77);
        }
        *findings = ScanHere(path.c_str(), AIOX_BACKEND_SCAN_FILES);
    });
    is_made = !WIFEXITED(child.status) || WEXITSTATUS(child.status) != 77;
    if (!is_made) {
        GTEST_SKIP() << "no user namespace can be made here";
    }

    ASSERT_TRUE(child.IsWell()) << child.HowItEnded();
    ASSERT_EQ(child.findings.size(), 1U);
    std::string words = Words(child.findings[0]);
    std::string refused = words.substr(0, words.find(" belongs to user"));
    refused = refused.substr(refused.find('/') == std::string::npos ? 0 : refused.find('/'));
    EXPECT_NE(words.find("belongs to user"), std::string::npos) << words;
    EXPECT_NE(refused, "/");
    EXPECT_NE(program.rfind(refused + "/", 0), 0U) << refused << " is above " << program;
}
} // namespace
