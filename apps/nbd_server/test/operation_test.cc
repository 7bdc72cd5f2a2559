/* SPDX-License-Identifier: MIT */
/*
 * operation_test.cc - the server as those who run it meet it: started in all
 * ways, changed, asked, stopped.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.h"
#include "server_process.h"

namespace
{

using golden::Disc;
using golden::Flush;
using golden::Read;
using golden::Reply;
using golden::Write;
using nbd_test::Directory;
using nbd_test::Peer;
using nbd_test::Program;
using nbd_test::Server;

std::string Content(const std::string &path)
{
    std::ifstream file(path);
    std::ostringstream text;

    text << file.rdbuf();
    return text.str();
}

bool Has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

class OperationTest : public ::testing::Test
{
  protected:
    void Configure(const std::string &text)
    {
        std::ofstream(config_) << text;
    }
    /* With the file, two threads, and the stats socket. */
    std::unique_ptr<Server> Start(std::vector<std::string> more = {})
    {
        std::vector<std::string> all = {"-c",      config_, "--threads", "2",
                                        "--stats", stats_,  "--unix",    socket_};

        all.insert(all.end(), more.begin(), more.end());
        auto server = std::make_unique<Server>(all);
        EXPECT_NE(server->WaitForUri(), "") << server->Log();
        return server;
    }
    std::string Ask(const std::string &question)
    {
        Peer peer(stats_);

        peer.Send(question);
        return peer.ReceiveAll();
    }
    void Reload(Server *server, const std::string &text, const std::string &words)
    {
        Configure(text);
        server->Signal(SIGHUP);
        EXPECT_TRUE(server->WaitForLog(words)) << server->Log();
    }
    bool MayEnter(const std::string &name)
    {
        return Peer(socket_).Enter(name);
    }

    Directory directory_;
    std::string socket_ = directory_.Path("socket");
    std::string stats_ = directory_.Path("stats");
    std::string config_ = directory_.Path("config");
    std::string file_ = directory_.File("disk", 1 << 20);
};

/* ---- started in all ways ---- */

TEST_F(OperationTest, RunGivesTheUriAndEndsWithTheCommandsExitCode)
{
    Server server({"--run", "echo \"at $uri\"; test -S \"${uri#*socket=}\" && exit 7", file_});

    EXPECT_EQ(server.Wait(), 7) << server.Log();
    std::string out = server.Out(), start = "at nbd+unix:///?socket=/tmp/aiox-nbd-";
    ASSERT_EQ(out.substr(0, start.size()), start);
    std::string socket = out.substr(out.find("/tmp"), out.find('\n') - out.find("/tmp"));
    EXPECT_NE(access(std::filesystem::path(socket).parent_path().c_str(), F_OK), 0);
}

TEST_F(OperationTest, RunTellsOfACommandThatWasKilled)
{
    Server server({"--run", "kill -9 $$", file_});

    EXPECT_EQ(server.Wait(), 128 + SIGKILL);
}

TEST_F(OperationTest, AStopEndsTheCommandThatRuns)
{
    Server server({"--run", "echo up; exec tail -f /dev/null", file_});
    ASSERT_EQ(server.WaitForUri(), "up");

    EXPECT_EQ(server.Stop(), 128 + SIGTERM);
}

TEST_F(OperationTest, StdioServesOneClientAndEndsWithIt)
{
    int ends[2], before = fcntl(0, F_DUPFD_CLOEXEC, 3);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    std::string session = golden::ClientFlags(3) + golden::Option(1) + Write(1, 0, "x") + Disc();
    std::string all(28 + 16, '\0');

    dup2(ends[1], 0);
    close(ends[1]);
    Server server({"--stdio", file_});
    dup2(before, 0);
    close(before);
    ASSERT_EQ(send(ends[0], session.data(), session.size(), 0),
              static_cast<ssize_t>(session.size()));

    EXPECT_EQ(server.Wait(), 0) << server.Log();
    EXPECT_EQ(recv(ends[0], all.data(), all.size(), MSG_WAITALL), static_cast<ssize_t>(all.size()));
    EXPECT_EQ(all.substr(28), Reply(1, 0));
    EXPECT_EQ(server.Out(), "");
    EXPECT_EQ(Content(file_)[0], 'x');
    close(ends[0]);
}

TEST_F(OperationTest, StdioWithoutASocketCannotStart)
{
    Server server({"--stdio", file_});

    EXPECT_EQ(server.Wait(), 1);
    EXPECT_TRUE(Has(server.Log(), "standard input is no stream socket")) << server.Log();
}

TEST_F(OperationTest, ASocketThatWasPassedIsServedAndStays)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0); /* inherited */
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    socket_.copy(at.sun_path, sizeof(at.sun_path) - 1);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&at), sizeof(at)), 0);
    ASSERT_EQ(listen(fd, 10), 0);

    Server server({file_}, 0,
                  {"bash", "-c",
                   "exec 3<&" + std::to_string(fd) + "; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"",
                   "-"});
    EXPECT_EQ(server.WaitForUri(), "nbd+unix:///?socket=" + socket_) << server.Log();
    EXPECT_EQ(server.Out().find('\n'), server.Out().size() - 1) << "no other place";
    EXPECT_TRUE(MayEnter(""));

    EXPECT_EQ(server.Stop(), 0);
    EXPECT_EQ(access(socket_.c_str(), F_OK), 0);
    close(fd);
}

TEST_F(OperationTest, DescriptorsOfAnotherProcessAreNotTakenForPassed)
{
    Server server({"--unix", socket_, file_}, 0, {"env", "LISTEN_PID=1", "LISTEN_FDS=1"});

    EXPECT_EQ(server.WaitForUri(), "nbd+unix:///?socket=" + socket_) << server.Log();
    EXPECT_EQ(server.Stop(), 0);
}

TEST_F(OperationTest, ADescriptorThatDoesNotListenIsToldOf)
{
    Server server({file_}, 0,
                  {"bash", "-c", "exec 3</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "-"});

    EXPECT_EQ(server.Wait(), 1);
    EXPECT_TRUE(Has(server.Log(), "descriptor 3, which was passed, does not listen"));
}

TEST_F(OperationTest, VsockServesWhereThereIsOne)
{
    Server server({"--vsock", "0", "memory:1M"});
    std::string uri = server.WaitForUri();
    if (uri == "") {
        GTEST_SKIP() << server.Log();
    }
    ASSERT_EQ(uri.substr(0, 12), "nbd+vsock://") << uri;
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_vm at = {};
    std::string greeting(18, '\0');

    at.svm_family = AF_VSOCK;
    at.svm_cid = VMADDR_CID_LOCAL;
    at.svm_port = static_cast<unsigned>(std::stoul(uri.substr(uri.rfind(':') + 1)));
    if (connect(fd, reinterpret_cast<sockaddr *>(&at), sizeof(at)) != 0) {
        close(fd);
        GTEST_SKIP() << "no loopback of VM sockets";
    }
    EXPECT_EQ(recv(fd, greeting.data(), greeting.size(), MSG_WAITALL), 18);
    close(fd);

    EXPECT_EQ(greeting, golden::Greeting());
    EXPECT_EQ(server.Stop(), 0);
}

TEST_F(OperationTest, ADaemonLeavesTheShellWhenItIsReady)
{
    std::string pid_file = directory_.Path("pid");
    Program shell("apps/nbd_server/aiox-nbd --daemon --pid-file " + pid_file + " --unix " +
                  socket_ + " " + file_ + " && echo ready");

    EXPECT_EQ(shell.Wait(), 0) << shell.Output();
    EXPECT_TRUE(Has(shell.Output(), "nbd+unix:///?socket=" + socket_ + "\n")) << shell.Output();
    EXPECT_TRUE(Has(shell.Output(), "ready"));
    EXPECT_TRUE(MayEnter(""));
    pid_t pid = std::stoi(Content(pid_file));
    pollfd end = {static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0};
    EXPECT_EQ(kill(pid, SIGTERM), 0);
    EXPECT_EQ(poll(&end, 1, 60000), 1);
    close(end.fd);

    EXPECT_NE(access(pid_file.c_str(), F_OK), 0);
    EXPECT_NE(access(socket_.c_str(), F_OK), 0);
}

TEST_F(OperationTest, ADaemonThatCannotStartSaysSoToTheShell)
{
    Program shell("apps/nbd_server/aiox-nbd --daemon --unix " + socket_ + " /nowhere/at/all");

    EXPECT_EQ(shell.Wait(), 1);
    EXPECT_TRUE(Has(shell.Output(), "cannot open '/nowhere/at/all'")) << shell.Output();
}

TEST_F(OperationTest, OnePidFileIsOneServer)
{
    std::string pid_file = directory_.Path("pid");
    Server first({"--unix", socket_, "--pid-file", pid_file, file_});
    ASSERT_NE(first.WaitForUri(), "");
    Server second({"--unix", directory_.Path("s2"), "--pid-file", pid_file, file_});

    EXPECT_EQ(second.Wait(), 1);
    EXPECT_TRUE(Has(second.Log(), "it runs already")) << second.Log();
    EXPECT_EQ(std::stoi(Content(pid_file)), first.pid());
    EXPECT_EQ(first.Stop(), 0);
    EXPECT_NE(access(pid_file.c_str(), F_OK), 0);
}

TEST_F(OperationTest, ItGoesOnAsAnotherUserInAllThreads)
{
    if (geteuid() != 0) {
        GTEST_SKIP() << "only root can become another user";
    }
    ASSERT_EQ(chmod(file_.c_str(), 0600), 0);
    Server server({"--unix", socket_, "--threads", "3", "--user", "nobody", file_});
    bool has_started = server.WaitForUri() != "";
    if (Has(server.Log(), "Operation not permitted") || Has(server.Log(), "Invalid argument")) {
        GTEST_SKIP() << "this root is none (a user namespace): " << server.Log();
    }
    ASSERT_TRUE(has_started) << server.Log();

    int threads = 0;
    for (const auto &task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(server.pid()) + "/task")) {
        std::string status = Content(task.path() / "status");

        EXPECT_TRUE(Has(status, "Uid:\t65534\t65534\t65534\t65534")) << status;
        EXPECT_FALSE(Has(status, "Groups:\t0")) << status;
        EXPECT_TRUE(Has(status, "NoNewPrivs:\t1")) << status;
        EXPECT_TRUE(Has(status, "CapEff:\t0000000000000000")) << status;
        threads++;
    }
    EXPECT_GE(threads, 3);
    EXPECT_TRUE(MayEnter(""));
    EXPECT_EQ(server.Stop(), 0);
}

TEST_F(OperationTest, WhatIsWrongWithItsFilesIsExitCode1Or2)
{
    Configure("frobnicate = 1\n");
    Server config({"--config", config_, file_});
    Server stats({"--unix", socket_, "--stats", "/nowhere/at/all", file_});
    Server user({"--unix", directory_.Path("s2"), "--user", "no such user", file_});

    EXPECT_EQ(config.Wait(), 2);
    EXPECT_TRUE(Has(config.Log(), config_ + ":1: 'frobnicate'")) << config.Log();
    EXPECT_EQ(stats.Wait(), 1);
    EXPECT_EQ(stats.Log(), "aiox-nbd: cannot listen at '/nowhere/at/all': No such file or "
                           "directory\n");
    EXPECT_EQ(user.Wait(), 1);
    EXPECT_EQ(user.Log(), "aiox-nbd: there is no user 'no such user'\n");
    EXPECT_NE(access(socket_.c_str(), F_OK), 0);
}

/* ---- asked ---- */

TEST_F(OperationTest, StatisticsCountPerExportAndShowWhoIsThere)
{
    Configure("[export a]\nfile = memory:1M\n[export b\xc3\xa4\"]\nfile = memory:2M\n");
    auto server = Start();
    Peer peer(socket_), gone(socket_), greeting(socket_);
    ASSERT_TRUE(peer.Enter("a"));
    ASSERT_TRUE(gone.Enter("b\xc3\xa4\""));
    EXPECT_EQ(greeting.Receive(18), golden::Greeting());
    peer.Send(Write(1, 0, "12345") + Read(2, 0, 3) + Read(3, 1 << 20, 1) + Flush(4));
    EXPECT_EQ(peer.Receive(16 * 4 + 3).size(), 67u);
    gone.Send(Write(1, 0, "1234567") + Disc());
    EXPECT_EQ(gone.ReceiveAll(), Reply(1, 0));

    std::string json = Ask("json\n"), prometheus = Ask("prometheus\n");

    EXPECT_TRUE(Has(json, "\"threads\":2,\"accepted\":3,\"refused\":0,")) << json;
    EXPECT_TRUE(Has(json,
                    "\"total\":{\"reads\":2,\"writes\":2,\"flushes\":1,\"trims\":0,\"zeroes\":0,"
                    "\"caches\":0,\"statuses\":0,\"bytes_read\":3,"
                    "\"bytes_written\":12,\"errors\":1}"))
        << json;
    EXPECT_TRUE(Has(
        json, "{\"name\":\"a\",\"source\":\"memory:1M\",\"size\":1048576,"
              "\"read_only\":false,\"clients\":1,\"engine\":\"memory\",\"reads\":2,\"writes\":1,"
              "\"flushes\":1,\"trims\":0,\"zeroes\":0,\"caches\":0,\"statuses\":0,"
              "\"bytes_read\":3,\"bytes_written\":5,\"errors\":1}"))
        << json;
    EXPECT_TRUE(Has(json, "\"name\":\"b\\u00c3\\u00a4\\\"\"")) << json;
    EXPECT_TRUE(Has(json, "\"peer\":\"pid " + std::to_string(getpid()))) << json;
    EXPECT_TRUE(Has(json, "\"state\":\"served\",\"export\":\"a\"")) << json;
    EXPECT_TRUE(Has(json, "\"state\":\"greeting\",\"export\":null")) << json;
    for (const char *line :
         {"aiox_nbd_requests_total{export=\"a\",type=\"read\"} 2\n",
          "aiox_nbd_bytes_total{export=\"b\\\\xc3\\\\xa4\\\"\","
          "direction=\"written\"} 7\n",
          "aiox_nbd_request_errors_total{export=\"a\"} 1\n", "aiox_nbd_clients_accepted_total 3\n",
          "# TYPE aiox_nbd_requests_total counter\n"}) {
        EXPECT_TRUE(Has(prometheus, line)) << line << prometheus;
    }
}

TEST_F(OperationTest, StatisticsHaveHistogramsOfWhatWasAsked)
{
    Configure("[export a]\nfile = memory:1M\n");
    auto server = Start();
    Peer peer(socket_);
    ASSERT_TRUE(peer.Enter("a"));
    peer.Send(Read(1, 0, 1) + Read(2, 0, 1) + Write(3, 0, "x"));
    EXPECT_EQ(peer.Receive(17 + 17 + 16).size(), 50u);
    peer.Send(Flush(4)); /* the others have been counted when this is answered */
    EXPECT_EQ(peer.Receive(16), Reply(4, 0));

    std::string text = Ask("prometheus\n");

    for (const char *line :
         {"# TYPE aiox_nbd_request_seconds histogram\n",
          "aiox_nbd_request_seconds_bucket{export=\"a\",type=\"read\",le=\"+Inf\"} 2\n",
          "aiox_nbd_request_seconds_bucket{export=\"a\",type=\"read\",le=\"0.000008192\"} ",
          "aiox_nbd_request_seconds_count{export=\"a\",type=\"read\"} 2\n",
          "aiox_nbd_request_seconds_count{export=\"a\",type=\"write\"} 1\n",
          "aiox_nbd_request_seconds_sum{export=\"a\",type=\"write\"} 0."}) {
        EXPECT_TRUE(Has(text, line)) << line << text;
    }
    EXPECT_FALSE(Has(text, "aiox_nbd_request_seconds_count{export=\"a\",type=\"trim\"}")) << text;
}

TEST_F(OperationTest, StatisticsSayWhoServesAFile)
{
    Configure("[export a]\nfile = " + file_ + "\n");
    auto server = Start();
    bool ring = std::string(getenv("AIOX_FDMON")) == "io_uring";
    Peer peer(socket_);
    ASSERT_TRUE(peer.Enter("a"));
    peer.Send(Write(1, 0, "12345"));
    EXPECT_EQ(peer.Receive(16), Reply(1, 0));

    std::string json = Ask("json\n"), prometheus = Ask("prometheus\n");

    EXPECT_TRUE(Has(json, ring ? "\"engine\":\"ring\",\"served\":{\"ring\":1,\"linux_aio\":0,"
                                 "\"inline\":0,\"pool\":0},"
                               : "\"engine\":\"pool\",\"served\":{\"ring\":0,\"linux_aio\":0,"
                                 "\"inline\":0,\"pool\":1},"))
        << json;
    EXPECT_TRUE(Has(prometheus, std::string("aiox_nbd_file_requests_total{export=\"a\",engine=\"") +
                                    (ring ? "ring" : "pool") + "\"} 1\n"))
        << prometheus;
}

TEST_F(OperationTest, StatisticsSpeakHttpAndSayWhatTheyUnderstand)
{
    Configure("[export a]\nfile = memory:1M\n");
    auto server = Start();

    std::string metrics = Ask("GET /metrics HTTP/1.1\r\nHost: nbd\r\n\r\n");
    std::string json = Ask("GET /json HTTP/1.1\r\n\r\n");

    EXPECT_EQ(metrics.substr(0, 15), "HTTP/1.0 200 OK");
    size_t body = metrics.find("\r\n\r\n") + 4;
    EXPECT_TRUE(Has(metrics, "Content-Length: " + std::to_string(metrics.size() - body) + "\r\n"));
    EXPECT_TRUE(Has(json, "Content-Type: application/json"));
    EXPECT_TRUE(Has(Ask("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.0 404 Not Found"));
    EXPECT_EQ(Ask("hello\n"), "say json or prometheus\n");
    EXPECT_EQ(Ask(std::string(10000, 'x')).substr(0, 4), "say ");
}

TEST_F(OperationTest, ManyWhoAskNothingDoNotDisturb)
{
    Configure("[export a]\nfile = memory:1M\n");
    auto server = Start();
    std::vector<std::unique_ptr<Peer>> silent;

    for (int i = 0; i < 20; i++) {
        silent.push_back(std::make_unique<Peer>(stats_));
    }
    EXPECT_EQ(silent[19]->ReceiveAll(), "") << "too many are there";
    EXPECT_TRUE(MayEnter("a"));
    silent[0]->Send("json\n");

    EXPECT_TRUE(Has(silent[0]->ReceiveAll(), "\"threads\":2"));
    EXPECT_EQ(server->Stop(), 0);
}

/* ---- changed ---- */

TEST_F(OperationTest, AReloadBringsAndTakesExportsAndOthersNoticeNothing)
{
    Configure("[export stays]\nfile = memory:1M\n[export goes]\nfile = " + file_ + "\n");
    auto server = Start();
    Peer stays(socket_), goes(socket_);
    ASSERT_TRUE(stays.Enter("stays"));
    ASSERT_TRUE(goes.Enter("goes"));
    stays.Send(Write(1, 0, "kept"));
    EXPECT_EQ(stays.Receive(16), Reply(1, 0));

    Reload(server.get(), "[export stays]\nfile = memory:1M\n[export comes]\nfile = memory:3M\n",
           "reloaded: 1 exports opened, 1 closed, 1 as before");

    EXPECT_EQ(goes.ReceiveAll(), "");
    EXPECT_FALSE(MayEnter("goes"));
    EXPECT_TRUE(MayEnter("comes"));
    stays.Send(Read(2, 0, 4));
    EXPECT_EQ(stays.Receive(20), Reply(2, 0, "kept"));
    for (int i = 0; i < 2; i++) { /* on each thread */
        Peer again(socket_);

        ASSERT_TRUE(again.Enter("stays"));
        again.Send(Read(3, 0, 4));
        EXPECT_EQ(again.Receive(20), Reply(3, 0, "kept"));
    }
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(OperationTest, WhatIsAskedOfAnExportThatGoesIsAnswered)
{
    Configure("[export a]\nfile = " + file_ + "\n[export b]\nfile = memory:1M\n");
    auto server = Start();
    Peer peer(socket_);
    std::string requests;
    for (uint32_t i = 0; i < 64; i++) {
        requests += Read(i, 0, 65536);
    }
    ASSERT_TRUE(peer.Enter("a"));
    peer.Send(requests);
    EXPECT_EQ(peer.Receive(16).size(), 16u);

    Reload(server.get(), "[export b]\nfile = memory:1M\n", "1 closed");

    std::string rest = peer.ReceiveAll();
    EXPECT_EQ((rest.size() + 16) % (16 + 65536), 0u) << "whole replies";
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(OperationTest, AnExportThatIsSaidDifferentlyIsOpenedAnew)
{
    Configure("[export a]\nfile = memory:1M\n");
    auto server = Start();
    Peer peer(socket_);
    ASSERT_TRUE(peer.Enter("a"));

    Reload(server.get(), "[export a]\nfile = memory:1M\nread-only = yes\n",
           "reloaded: 1 exports opened, 1 closed, 0 as before");

    EXPECT_EQ(peer.ReceiveAll(), "");
    Peer again(socket_);
    ASSERT_TRUE(again.Enter("a"));
    again.Send(Write(1, 0, "x"));
    EXPECT_EQ(again.Receive(16), Reply(1, 1));
}

TEST_F(OperationTest, AReloadThatFailsChangesNothing)
{
    const std::string good = "[export a]\nfile = memory:1M\n";
    Configure(good);
    auto server = Start();
    Peer peer(socket_);
    ASSERT_TRUE(peer.Enter("a"));

    Reload(server.get(), "[export b]\nfile = memory:1M\nnonsense\n", "not reloaded: " + config_);
    Reload(server.get(), "[export b]\nfile = memory:1M\n[export c]\nfile = /nowhere/at/all\n",
           "not reloaded: export \"c\": cannot open");
    Reload(server.get(), "[export b]\nfile = memory:1M\n[export b]\nfile = memory:2M\n",
           "not reloaded: export \"b\": there are two of that name");

    EXPECT_TRUE(MayEnter("a"));
    EXPECT_FALSE(MayEnter("b"));
    peer.Send(Read(1, 0, 1));
    EXPECT_EQ(peer.Receive(17).size(), 17u);
    Reload(server.get(), good, "reloaded: 0 exports opened, 0 closed, 1 as before");
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(OperationTest, AReloadTakesLimitsOverAndTellsWhatWaitsForARestart)
{
    Configure("max-clients = 100\n[export a]\nfile = memory:1M\n");
    auto server = Start();
    Peer first(socket_);
    ASSERT_TRUE(first.Enter("a"));

    Reload(server.get(), "max-clients = 1\nunix = /other\n[export a]\nfile = memory:1M\n",
           "is heeded at the next start");
    EXPECT_TRUE(server->WaitForLog("reloaded:"));

    EXPECT_EQ(Peer(socket_).ReceiveAll(), "");
}

TEST_F(OperationTest, WhoIsInTheMiddleOfTheListDuringAReloadGetsAWholeList)
{
    const std::string one = "[export last]\nfile = memory:1M\n";
    std::string many;
    for (int i = 0; i < 200; i++) { /* 800 kB: more than a socket takes */
        many += "[export " + std::to_string(i) + std::string(4000, 'n') + "]\nfile = memory:4k\n";
    }
    Configure(many + one);
    auto server = Start();
    Peer lister(socket_);
    int small = 4096;

    setsockopt(lister.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    lister.Send(golden::ClientFlags(3) + golden::Option(3));
    EXPECT_EQ(lister.Receive(18), golden::Greeting());
    EXPECT_EQ(lister.Receive(24).size(), 24u); /* of the first name */
    Reload(server.get(), one, "200 closed, 1 as before");
    lister.ShutdownWrite();

    std::string rest = lister.ReceiveAll();
    EXPECT_EQ(rest.substr(rest.size() - 20), golden::OptionReply(3, 1));
    EXPECT_EQ(rest.substr(rest.size() - 24, 4), "last");
    EXPECT_FALSE(MayEnter("0" + std::string(4000, 'n')));
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(OperationTest, ReloadsInQuickSuccessionEndWithTheLast)
{
    Configure("[export 0]\nfile = memory:1M\n");
    auto server = Start();

    for (int i = 1; i <= 20; i++) {
        Configure("[export " + std::to_string(i) + "]\nfile = " + file_ + "\n");
        server->Signal(SIGHUP);
    }
    Reload(server.get(),
           "[export end]\nfile = memory:1M\nread-only = yes\n[export 2nd]\nfile = " + file_ + "\n",
           "reloaded: 2 exports opened");

    EXPECT_TRUE(MayEnter("end"));
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(OperationTest, AStopDuringAReloadStops)
{
    Configure("[export 0]\nfile = memory:1M\n");
    auto server = Start();

    Configure("[export 1]\nfile = " + file_ + "\n");
    server->Signal(SIGHUP);
    server->Signal(SIGTERM);

    EXPECT_EQ(server->Wait(), 0);
}

} // namespace
