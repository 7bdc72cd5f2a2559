/* SPDX-License-Identifier: MIT */
#include "server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>

#include <gtest/gtest.h>

#include "golden.h"

namespace nbd_test
{
namespace
{

constexpr char kBinary[] = "apps/nbd_server/aiox-nbd";
constexpr int kPatienceMs = 60000; /* before a wait counts as a hang */

std::string Content(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;

    text << file.rdbuf();
    return text.str();
}

/* Readable when process @pid has ended. */
int OpenProcess(pid_t pid)
{
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

/* Until one of @fds is readable; false: not in time. */
bool WaitForAny(std::initializer_list<int> fds)
{
    std::vector<pollfd> all;

    for (int fd : fds) {
        all.push_back({fd, POLLIN, 0});
    }
    return poll(all.data(), all.size(), kPatienceMs) > 0;
}

/* The end of process @pid: its exit code, 1000 + the signal that ended it, or -1. */
int WaitFor(pid_t pid)
{
    int status = 0, process = OpenProcess(pid);
    bool in_time = WaitForAny({process});

    close(process);
    if (!in_time) {
        return -1;
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/*
 * Until @condition, which depends on the files in @directory that process @pid
 * writes, holds; false: @pid has ended, or it is not so in time.
 */
template <class Condition>
bool WaitUntil(const std::string &directory, pid_t pid, Condition condition)
{
    int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), process = OpenProcess(pid);
    bool alive = true, holds;
    char events[4096];

    inotify_add_watch(changes, directory.c_str(), IN_MODIFY);
    while (!(holds = condition()) && alive && WaitForAny({changes, process})) {
        pollfd end = {process, POLLIN, 0};

        alive = poll(&end, 1, 0) == 0;
        while (read(changes, events, sizeof(events)) > 0) {
        }
    }
    close(changes);
    close(process);
    return holds || condition();
}

int OpenTo(const std::string &path)
{
    return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

} // namespace

Directory::Directory()
{
    char path[] = "/tmp/aiox-nbd-XXXXXX";

    EXPECT_NE(mkdtemp(path), nullptr);
    path_ = path;
}

Directory::~Directory()
{
    std::filesystem::remove_all(path_);
}

std::string Directory::File(const std::string &name, uint64_t bytes) const
{
    std::string path = Path(name);
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    EXPECT_EQ(ftruncate(fd, static_cast<off_t>(bytes)), 0);
    close(fd);
    return path;
}

Server::Server(std::vector<std::string> arguments, unsigned descriptors,
               std::vector<std::string> before)
{
    std::vector<char *> argv;
    int out = OpenTo(directory_.Path("out")), err = OpenTo(directory_.Path("err"));

    bool is_traced = !before.empty();

    before.push_back(kBinary);
    before.insert(before.end(), arguments.begin(), arguments.end());
    for (std::string &word : before) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
        if (descriptors > 0) {
            rlimit limit = {descriptors, descriptors};

            setrlimit(RLIMIT_NOFILE, &limit);
        }
        if (is_traced) { /* LeakSanitizer needs ptrace(2) for itself */
            setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
        }
        dup2(out, 1);
        dup2(err, 2);
        execvp(argv[0], argv.data());
        _exit(127);
    }
    close(out);
    close(err);
}

Server::~Server()
{
    if (code_ == -1) {
        Signal(SIGKILL);
        Wait();
    }
}

std::string Server::Log() const
{
    return Content(directory_.Path("err"));
}

std::string Server::Out() const
{
    return Content(directory_.Path("out"));
}

bool Server::WaitForLog(const std::string &text) const
{
    return WaitUntil(directory_.Path(""), pid_,
                     [&] { return Log().find(text) != std::string::npos; });
}

std::string Server::WaitForUri()
{
    WaitUntil(directory_.Path(""), pid_, [&] { return Out().find('\n') != std::string::npos; });

    std::string out = Out();

    return out.substr(0, out.find('\n'));
}

void Server::Signal(int signal)
{
    kill(pid_, signal);
}

int Server::Wait()
{
    if (code_ == -1) {
        code_ = WaitFor(pid_);
        EXPECT_NE(code_, -1) << "it does not end\n" << Log();
    }
    return code_;
}

int Server::Stop()
{
    Signal(SIGTERM);
    return Wait();
}

uint64_t Server::ResidentBytes() const
{
    std::istringstream statm(Content("/proc/" + std::to_string(pid_) + "/statm"));
    uint64_t all = 0, resident = 0;

    statm >> all >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

/* ---- Program ---- */

Program::Program(const std::string &command)
{
    int out = OpenTo(directory_.Path("out"));

    pid_ = fork();
    if (pid_ == 0) {
        setpgid(0, 0);
        dup2(out, 1);
        dup2(out, 2);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    setpgid(pid_, pid_);
    close(out);
}

Program::~Program()
{
    if (code_ == -1) {
        Signal(SIGKILL);
        Wait();
    }
}

void Program::Signal(int signal)
{
    kill(-pid_, signal);
}

int Program::Wait()
{
    if (code_ == -1) {
        code_ = WaitFor(pid_);
        EXPECT_NE(code_, -1) << "it does not end\n" << Output();
    }
    return code_;
}

std::string Program::Output() const
{
    return Content(directory_.Path("out"));
}

bool IsInstalled(const std::string &program)
{
    return Program("command -v " + program).Wait() == 0;
}

/* ---- Peer ---- */

Peer::Peer(const std::string &address)
{
    timeval patience = {kPatienceMs / 1000, 0};
    int error;

    if (address[0] == '/') {
        sockaddr_un to = {};

        to.sun_family = AF_UNIX;
        address.copy(to.sun_path, sizeof(to.sun_path) - 1);
        fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        error = connect(fd_, reinterpret_cast<sockaddr *>(&to), sizeof(to));
    } else {
        sockaddr_in to = {};

        to.sin_family = AF_INET;
        to.sin_port =
            htons(static_cast<uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        error = connect(fd_, reinterpret_cast<sockaddr *>(&to), sizeof(to));
    }
    EXPECT_EQ(error, 0) << address << ": " << errno;
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

Peer::~Peer()
{
    Close();
}

void Peer::Close()
{
    if (fd_ >= 0) {
        close(fd_);
    }
    fd_ = -1;
}

void Peer::Reset()
{
    linger now = {1, 0};

    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    Close();
}

void Peer::ShutdownWrite()
{
    shutdown(fd_, SHUT_WR);
}

bool Peer::Send(const std::string &bytes)
{
    size_t at = 0;

    while (at < bytes.size()) {
        ssize_t n = send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);

        if (n < 0) {
            EXPECT_NE(errno, EAGAIN) << "the server does not listen";
            return false;
        }
        at += static_cast<size_t>(n);
    }
    return true;
}

size_t Peer::SendWithoutWaiting(const std::string &bytes)
{
    ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);

    return n < 0 ? 0 : static_cast<size_t>(n);
}

std::string Peer::Receive(size_t bytes)
{
    std::string all(bytes, '\0');
    size_t at = 0;

    while (at < bytes) {
        ssize_t n = recv(fd_, &all[at], bytes - at, 0);

        if (n <= 0) {
            EXPECT_FALSE(n < 0 && errno == EAGAIN) << "the server does not answer";
            break;
        }
        at += static_cast<size_t>(n);
    }
    all.resize(at);
    return all;
}

std::string Peer::ReceiveAll()
{
    std::string all, some;

    do {
        some = Receive(4096);
        all += some;
    } while (some.size() == 4096);
    return all;
}

bool Peer::Enter(const std::string &name)
{
    Send(golden::ClientFlags(3) + golden::Option(1, name));
    return Receive(18 + 10).size() == 28;
}

} // namespace nbd_test
