/* SPDX-License-Identifier: MIT */
/*
 * server_process.h - aiox-nbd as a process of its own, and a client that sends
 * whatever bytes a test wants.
 */
#ifndef AIOX_NBD_TEST_SERVER_PROCESS_H_
#define AIOX_NBD_TEST_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

/* A test whose program is not installed is skipped, and says so. */
#define NEEDS(program)                                                                             \
    do {                                                                                           \
        if (!nbd_test::IsInstalled(program)) {                                                     \
            GTEST_SKIP() << "not installed: " << program;                                          \
        }                                                                                          \
    } while (0)

namespace nbd_test
{

/* A directory in /tmp, whose path is short enough for a socket; removed with all that is in it. */
class Directory
{
  public:
    Directory();
    ~Directory();
    Directory(const Directory &) = delete;
    Directory &operator=(const Directory &) = delete;

    std::string Path(const std::string &name) const
    {
        return path_ + "/" + name;
    }
    /* A file of @bytes zeroes. */
    std::string File(const std::string &name, uint64_t bytes) const;

  private:
    std::string path_;
};

/* aiox-nbd with @arguments; stopped and waited for at the end at the latest. */
class Server
{
  public:
    /*
     * @descriptors: how many it may have open; 0: as many as we. @before: words in
     * front of the command, such as strace -D and its options.
     */
    explicit Server(std::vector<std::string> arguments, unsigned descriptors = 0,
                    std::vector<std::string> before = {});
    ~Server();
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;

    /* The first URI it prints; empty: it ended instead. */
    std::string WaitForUri();
    void Signal(int signal);
    /* Waits for its end; returns the exit code, or 1000 + the signal that ended it. */
    int Wait();
    /* SIGTERM and the wait. */
    int Stop();
    /* All it wrote to stderr so far. */
    std::string Log() const;
    /* Waits until @text is in the log; false: it ended without, or it is not there in time. */
    bool WaitForLog(const std::string &text) const;
    std::string Out() const;
    pid_t pid() const
    {
        return pid_;
    }
    uint64_t ResidentBytes() const;

  private:
    Directory directory_;
    pid_t pid_ = -1;
    int code_ = -1;
};

/*
 * Another program, started with "sh -c @command" in a process group of its own,
 * which is killed at the end if it still runs. Its output is kept.
 */
class Program
{
  public:
    explicit Program(const std::string &command);
    ~Program();
    Program(const Program &) = delete;
    Program &operator=(const Program &) = delete;

    void Signal(int signal);
    int Wait();
    std::string Output() const;

  private:
    Directory directory_;
    pid_t pid_;
    int code_ = -1;
};

/* Whether a program of that name is installed. */
bool IsInstalled(const std::string &program);

/* A connection. Every wait has an end; a test that runs into it fails. */
class Peer
{
  public:
    /* Connects to a unix socket's path, or to "127.0.0.1:PORT". */
    explicit Peer(const std::string &address);
    ~Peer();
    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;

    /* False: the other side is gone. */
    bool Send(const std::string &bytes);
    /* As much as fits without waiting; returns how much. */
    size_t SendWithoutWaiting(const std::string &bytes);
    /* Exactly @bytes, or less if the other side hangs up. */
    std::string Receive(size_t bytes);
    /* All until the other side hangs up. */
    std::string ReceiveAll();
    /* Greets and enters the transmission of @name; false: refused. */
    bool Enter(const std::string &name = "");
    void ShutdownWrite();
    void Reset();
    void Close();
    int fd() const
    {
        return fd_;
    }

  private:
    int fd_;
};

} // namespace nbd_test

#endif /* AIOX_NBD_TEST_SERVER_PROCESS_H_ */
