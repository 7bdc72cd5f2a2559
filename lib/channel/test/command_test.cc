/* SPDX-License-Identifier: MIT */
/* command_test.cc - a child that is talked to, waited for, and never left behind. */
#include <atomic>
#include <csignal>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/channel_command.h"
#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Channel;
using channel_testing::Fd;
using channel_testing::Noise;
using co_testing::Loop;
using co_testing::Spawn;

class Command : public ::testing::Test
{
  protected:
    Command()
    {
        signal(SIGPIPE, SIG_IGN);
        aiox_context_set_current(loop_);
    }
    /* Nobody is left, not even dead. */
    ~Command() override
    {
        ch_.Drop();
        signal(SIGPIPE, SIG_DFL);
        aiox_context_set_current(nullptr);
        EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
        EXPECT_EQ(errno, ECHILD);
    }

    int Start(const std::string &script, aiox_command command = {})
    {
        std::string text = script;
        char *argv[] = {(char *)"sh", (char *)"-c", text.data(), nullptr};
        command.argv = argv;
        return aiox_channel_command_new(ch_.Out(), &command, nullptr);
    }
    std::string Hear()
    {
        std::string all;
        char some[1000];
        ssize_t n;
        while ((n = aiox_channel_read(ch_, some, sizeof(some), -1)) > 0) {
            all.append(some, (size_t)n);
        }
        EXPECT_EQ(n, 0);
        return all;
    }

    Loop loop_;
    Channel ch_;
};

TEST_F(Command, GetsWhatIsWrittenAndItsWordsAreRead)
{
    std::string sent = Noise(500 * 1000), received;
    ASSERT_EQ(Start("exec cat"), 0);
    aiox_co_enter_in(loop_, Spawn([&] {
                         EXPECT_EQ(aiox_channel_write_full(ch_, sent.data(), sent.size(), -1), 0);
                         EXPECT_EQ(aiox_channel_shutdown(ch_, AIOX_CHANNEL_WRITING), 0);
                     }));

    loop_.Run([&] { received = Hear(); });

    EXPECT_TRUE(sent == received);
}

TEST_F(Command, TellsItsEndToACoroutine)
{
    ASSERT_EQ(Start("read line; exit $line"), 0);
    int status = 0, result = 1, again = 1;
    aiox_co_enter_in(loop_, Spawn([&] { result = aiox_channel_command_wait(ch_, &status, -1); }));
    EXPECT_EQ(result, 1);

    EXPECT_EQ(aiox_channel_write_full(ch_, "7\n", 2, -1), 0);
    loop_.RunUntil([&] { return result != 1; });
    again = aiox_channel_command_wait(ch_, &status, 0);

    EXPECT_EQ(result, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_EQ(again, 0);
    EXPECT_EQ(aiox_channel_command_kill(ch_, SIGTERM), -ESRCH);
}

TEST_F(Command, TellsItsEndToAThread)
{
    ASSERT_EQ(Start("read line; exit 3"), 0);
    int status = 0;

    EXPECT_EQ(aiox_channel_command_wait(ch_, &status, 0), -ETIMEDOUT);
    EXPECT_EQ(aiox_channel_shutdown(ch_, AIOX_CHANNEL_WRITING), 0);
    EXPECT_EQ(aiox_channel_command_wait(ch_, &status, -1), 0);

    EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST_F(Command, IsEndedByASignal)
{
    ASSERT_EQ(Start("exec cat"), 0);
    int status = 0;

    EXPECT_EQ(aiox_channel_command_kill(ch_, SIGTERM), 0);
    loop_.Run([&] { EXPECT_EQ(aiox_channel_command_wait(ch_, &status, -1), 0); });

    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(Command, IsKilledByTheClose)
{
    ASSERT_EQ(Start("trap '' TERM HUP INT; echo ready; while :; do read x || sleep 1000; done"), 0);
    char text[6];
    EXPECT_EQ(aiox_channel_read_full(ch_, text, 6, -1), 0);
    pid_t pid = aiox_channel_command_pid(ch_);
    int woken = 1, status;
    aiox_co_enter_in(loop_, Spawn([&] { woken = aiox_channel_command_wait(ch_, &status, -1); }));

    EXPECT_EQ(aiox_channel_close(ch_), 0);
    loop_.RunUntil([&] { return woken != 1; });

    EXPECT_EQ(woken, -ECANCELED);
    EXPECT_EQ(kill(pid, 0), -1) << "it is gone, and reaped";
    EXPECT_EQ(aiox_channel_command_wait(ch_, &status, -1), -EBADF);
}

TEST_F(Command, HasNoDescriptorsOfTheProgram)
{
    Fd inherited(dup(0)); /* not close-on-exec */
    ASSERT_EQ(Start("for f in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && echo $f; done; true"), 0);

    EXPECT_EQ(Hear(), "");
}

/* But the two that the C library keeps for itself, 32 and 33: nobody can send them by mistake. */
TEST_F(Command, HasNoSignalBlockedOrIgnored)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = Start("grep -E 'Sig(Blk|Ign)' /proc/self/status");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ASSERT_EQ(err, 0);

    std::string heard = Hear();
    constexpr unsigned long long kTheCLibrarys = 3ull << 31;
    ASSERT_EQ(heard.substr(0, 33), "SigBlk:\t0000000000000000\nSigIgn:\t") << heard;
    EXPECT_EQ(std::stoull(heard.substr(33), nullptr, 16) & ~kTheCLibrarys, 0u) << heard;
}

TEST_F(Command, GetsItsEnvironment)
{
    char *env[] = {(char *)"WORD=hello", nullptr};
    aiox_command command = {};
    command.env = env;
    ASSERT_EQ(Start("echo $WORD", command), 0);

    EXPECT_EQ(Hear(), "hello\n");
}

TEST_F(Command, WithoutPipesHasNothingThere)
{
    aiox_command command = {};
    command.no_input = command.no_output = command.no_errors = true;
    ASSERT_EQ(Start("cat; echo lost; echo lost >&2", command), 0);
    int status;

    EXPECT_EQ(Hear(), "");
    EXPECT_EQ(aiox_channel_write(ch_, "x", 1, -1), -EPIPE);
    EXPECT_EQ(aiox_channel_wait(ch_, AIOX_FD_READ, -1), AIOX_FD_READ);
    EXPECT_EQ(aiox_channel_command_wait(ch_, &status, -1), 0);
    EXPECT_EQ(status, 0);
}

TEST_F(Command, ShutDownUnderAWriterTellsIt)
{
    std::string much = Noise(1000 * 1000);
    ASSERT_EQ(Start("read line; exec sleep 1000"), 0);
    int result = 1;
    aiox_co_enter_in(
        loop_, Spawn([&] { result = aiox_channel_write_full(ch_, much.data(), much.size(), -1); }));
    EXPECT_EQ(result, 1);

    EXPECT_EQ(aiox_channel_shutdown(ch_, AIOX_CHANNEL_WRITING), 0);
    loop_.RunUntil([&] { return result != 1; });

    EXPECT_EQ(result, -ECANCELED);
    EXPECT_EQ(aiox_channel_write(ch_, "x", 1, -1), -EPIPE);
}

/* It is this loop that sees the words, for a coroutine of another. */
TEST_F(Command, ThatDoesNotFollowStaysWhereItFirstWas)
{
    co_testing::LoopThread other;
    std::atomic<bool> done{false};
    char c = 0;
    ASSERT_EQ(Start("exec cat"), 0);
    aiox_channel_set_follow_coroutine_ctx(ch_, false);
    loop_.Run([&] { EXPECT_EQ(aiox_channel_read(ch_, &c, 1, 0), -ETIMEDOUT); });
    aiox_co_enter_in(other, Spawn([&] {
                         EXPECT_EQ(aiox_channel_read(ch_, &c, 1, -1), 1);
                         EXPECT_TRUE(aiox_context_is_home(other));
                         done = true;
                         aiox_notify(loop_);
                     }));

    EXPECT_EQ(aiox_channel_write_full(ch_, "x", 1, -1), 0);
    loop_.RunUntil([&] { return done.load(); });

    EXPECT_EQ(c, 'x');
}

TEST_F(Command, ThatReadsNoMoreIsAnErrorForTheWriter)
{
    ASSERT_EQ(Start("exit 0"), 0);
    std::string much = Noise(1000 * 1000);

    EXPECT_EQ(aiox_channel_write_full(ch_, much.data(), much.size(), -1), -EPIPE);
}

TEST_F(Command, ThatIsNotThereIsAnErrorInWords)
{
    char *argv[] = {(char *)"aiox-there-is-no-such-program", nullptr};
    aiox_command command = {};
    command.argv = argv;
    aiox_error err = {};

    EXPECT_EQ(aiox_channel_command_new(ch_.Out(), &command, &err), -ENOENT);

    EXPECT_STREQ(err.message,
                 "cannot run 'aiox-there-is-no-such-program': No such file or directory");
}
} // namespace
