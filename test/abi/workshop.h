/* SPDX-License-Identifier: MIT */
/* workshop.h - a trusted directory for plugins, and children that may die of them. */
#ifndef AIOX_TEST_ABI_WORKSHOP_H_
#define AIOX_TEST_ABI_WORKSHOP_H_

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/backend.h"

namespace aiox_test
{
/* A report, and whether there is one. */
struct Finding : aiox_backend_report {
    bool has_plugin; /* the loader showed a descriptor */
};

/* How a child ended. */
struct Child {
    int status = -1; /* of waitpid(2) */
    std::vector<Finding> findings;

    bool IsWell() const
    {
        return status == 0;
    }
    std::string HowItEnded() const;
};

/* Runs @body in a child that is ended after a minute. What it scans comes back. */
Child RunInChild(const std::function<void(std::vector<Finding> *)> &body);

/* aiox_backend_scan() in this process; @path: directories. */
std::vector<Finding> ScanHere(const char *only, aiox_backend_scan_mode mode,
                              const char *path = nullptr);

std::string ReadFile(const std::string &path);
void WriteFile(const std::string &path, const std::string &bytes);

/* The plugin //test/abi:fdmon_<name>.so of the build tree. */
std::string PluginOfTheTree(const std::string &name);

/* Each test has an empty directory that nobody else can write, below @top or where tests may. */
class Workshop : public ::testing::Test
{
  protected:
    explicit Workshop(const char *top = nullptr);
    ~Workshop() override;

    std::string In(const std::string &name) const
    {
        return dir_ + "/" + name;
    }

    /* Puts the plugin fdmon_<name>.so of the tree into dir_. Returns its path. */
    std::string Install(const std::string &name) const;

    /* Looks at one file, in a child that must not die. */
    Finding Look(const std::string &file,
                 aiox_backend_scan_mode mode = AIOX_BACKEND_SCAN_LOAD) const;

    /* How often code of a tiny plugin was loaded. */
    size_t Loads() const;

    std::string dir_;
};

/* For EXPECT_THAT-less reading: "note ENOEXEC: not an ELF file". */
std::string Words(const aiox_backend_report &r);
} // namespace aiox_test

#endif /* AIOX_TEST_ABI_WORKSHOP_H_ */
