/* SPDX-License-Identifier: MIT */
/*
 * interop.h - the server between a file and the clients that people have.
 */
#ifndef AIOX_NBD_TEST_INTEROP_H_
#define AIOX_NBD_TEST_INTEROP_H_

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "server_process.h"

namespace nbd_test
{

constexpr uint64_t kDiskBytes = 64 << 20;

class Interop : public ::testing::Test
{
  protected:
    /* @what: arguments of the server behind those that say where; @before: words in front of it. */
    void StartWith(const std::vector<std::string> &what, std::vector<std::string> before = {})
    {
        std::vector<std::string> arguments = {"--unix", socket_};

        arguments.insert(arguments.end(), what.begin(), what.end());
        server_ = std::make_unique<Server>(arguments, 0, std::move(before));
        uri_ = server_->WaitForUri();
        ASSERT_NE(uri_, "") << server_->Log();
    }
    void Start(std::vector<std::string> before = {})
    {
        StartWith({file_}, std::move(before));
    }
    /* @command, in which $uri, $file and $dir mean what they say. */
    std::string Command(const std::string &command) const
    {
        return "uri='" + uri_ + "'; file=" + file_ + "; dir=" + directory_.Path("") +
               "; cd $dir; " + command;
    }
    /* Runs it to its end, which is to be good. */
    std::string Run(const std::string &command)
    {
        Program program(Command(command));

        EXPECT_EQ(program.Wait(), 0) << command << "\n"
                                     << program.Output() << (server_ ? server_->Log() : "");
        return program.Output();
    }
    /* The same for a program in Python, with h for the connection, not yet connected. */
    std::string RunShell(const std::string &program)
    {
        std::ofstream(directory_.Path("script.py")) << program;
        return Run("export uri; PATH=/usr/bin:$PATH nbdsh -c 'exec(open(\"script.py\").read())'");
    }
    static bool HasShell()
    {
        return IsInstalled("nbdsh") && access("/usr/bin/python3", X_OK) == 0 &&
               Program("/usr/bin/python3 -c 'import nbd'").Wait() == 0;
    }
    static bool IsRing()
    {
        return std::string(getenv("AIOX_FDMON")) == "io_uring";
    }

    Directory directory_;
    std::string socket_ = directory_.Path("socket");
    std::string file_ = directory_.File("disk", kDiskBytes);
    std::unique_ptr<Server> server_;
    std::string uri_;
};

} // namespace nbd_test

#endif /* AIOX_NBD_TEST_INTEROP_H_ */
