/* SPDX-License-Identifier: MIT */
/*
 * engines_test.cc - what the log says of who serves the exports, when threads found
 * the same and when not.
 */
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/log.h"
#include "apps/nbd_server/server_inside.h"

namespace
{

class EnginesTest : public ::testing::Test
{
  protected:
    EnginesTest()
    {
        aiox_log_set_hook(
            [](void *opaque, aiox_log_level, const char *line) {
                static_cast<EnginesTest *>(opaque)->lines_.push_back(line);
            },
            this, AIOX_LOG_INFO);
    }
    ~EnginesTest() override
    {
        aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_INFO);
    }
    /* What each thread found. */
    std::vector<std::string> Log(const std::vector<std::string> &found)
    {
        auto s = std::make_unique<server>();

        s->team.count = static_cast<int>(found.size());
        for (size_t i = 0; i < found.size(); i++) {
            text_out_add(&s->reload.engines[i], "%s", found[i].c_str());
        }
        server_log_engines(s.get());
        server_log_engines(s.get()); /* says nothing more */
        return std::move(lines_);
    }

    std::vector<std::string> lines_;
};

TEST_F(EnginesTest, ThreadsThatFoundTheSameAreToldOfOnce)
{
    EXPECT_EQ(Log({"a: ring\nb: pool\n", "a: ring\nb: pool\n", "a: ring\nb: pool\n"}),
              (std::vector<std::string>{"a: ring", "b: pool"}));
}

TEST_F(EnginesTest, AThreadThatFoundAnotherOneIsNamed)
{
    EXPECT_EQ(Log({"a: ring\n", "a: pool\n", "a: ring\n"}),
              (std::vector<std::string>{"thread 1: a: pool", "a: ring"}));
}

} // namespace
