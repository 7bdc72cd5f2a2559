/* SPDX-License-Identifier: MIT */
/*
 * door_test.cc - a door whose accept() answers as the test says, in time that
 * moves when told.
 */
#include "apps/nbd_server/door.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "test/harness/fake_clock.h"

namespace
{

using aiox_test::FakeClock;
using aiox_test::Ms;

int answer;   /* of the next calls to listener_accept() */
int attempts; /* so far */

} // namespace

extern "C" int __wrap_listener_accept(const struct listener *, char peer[LISTENER_ADDRESS])
{
    attempts++;
    peer[0] = '\0';
    return answer;
}

namespace
{

class DoorTest : public ::testing::Test
{
  protected:
    DoorTest()
    {
        listener l;

        attempts = 0;
        welcomed = 0;
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        EXPECT_EQ(door_init(&door_, ctx_, Welcome, this), 0);
        EXPECT_EQ(listener_open_unix(&l, path_.c_str(), nullptr), 0);
        EXPECT_EQ(door_add(&door_, &l), 0);
        EXPECT_EQ(door_open(&door_), 0);
        Knock();
    }
    ~DoorTest() override
    {
        close(client_);
        door_fini(&door_);
        aiox_context_unref(ctx_);
    }
    static void Welcome(void *self, int, const char *)
    {
        static_cast<DoorTest *>(self)->welcomed++;
    }
    /* From now on the socket is readable: nobody really accepts. */
    void Knock()
    {
        sockaddr_un to = {};

        to.sun_family = AF_UNIX;
        path_.copy(to.sun_path, sizeof(to.sun_path) - 1);
        client_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(connect(client_, reinterpret_cast<sockaddr *>(&to), sizeof(to)), 0);
    }
    void Turn(int times)
    {
        for (int i = 0; i < times; i++) {
            aiox_poll(ctx_, false);
        }
    }

    FakeClock clock_;
    std::string path_ = "/tmp/aiox-nbd-door-" + std::to_string(getpid());
    aiox_context *ctx_ = nullptr;
    door door_;
    int client_ = -1;
    int welcomed = 0;
};

TEST_F(DoorTest, WithoutDescriptorsItTriesOncePerPauseHoweverOftenTheLoopTurns)
{
    answer = -EMFILE;

    Turn(1000);
    EXPECT_EQ(attempts, 1);
    clock_.Advance(Ms(99));
    Turn(1000);
    EXPECT_EQ(attempts, 1);
    clock_.Advance(Ms(1));
    Turn(1000);
    EXPECT_EQ(attempts, 2);
    EXPECT_EQ(door_.pauses, 2u);
    EXPECT_EQ(welcomed, 0);
}

TEST_F(DoorTest, WhenAClientHasLeftItTriesAtOnce)
{
    answer = -ENFILE;
    Turn(10);
    ASSERT_EQ(attempts, 1);

    door_look_again(&door_);
    Turn(10);

    EXPECT_EQ(attempts, 2);
}

TEST_F(DoorTest, AfterAPauseClientsComeAgain)
{
    answer = -ENOMEM;
    Turn(10);
    answer = 7;
    clock_.Advance(Ms(100));
    Turn(2);

    EXPECT_GT(welcomed, 0);
    EXPECT_EQ(door_.pauses, 1u);
}

TEST_F(DoorTest, AClientThatWasGoneWhenItWasAcceptedIsNoReasonToPause)
{
    answer = -ECONNABORTED;
    Turn(10);

    EXPECT_GE(attempts, 10);
    EXPECT_EQ(door_.pauses, 0u);
}

TEST_F(DoorTest, AClosedDoorStaysClosed)
{
    answer = -EMFILE;
    Turn(1);
    door_close(&door_);
    attempts = 0;

    door_look_again(&door_);
    clock_.Advance(Ms(1000));
    Turn(10);

    EXPECT_EQ(attempts, 0);
    EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

} // namespace
