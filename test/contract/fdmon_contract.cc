/* SPDX-License-Identifier: MIT */
/*
 * fdmon_contract.cc - the loop's side, played by the suite.
 */
#include "fdmon_contract.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
aiox_fdmon_entry_fn aiox_fdmon_poll;
aiox_fdmon_entry_fn aiox_fdmon_epoll;
aiox_fdmon_entry_fn aiox_fdmon_io_uring;
}

namespace contract
{
namespace
{
namespace fs = std::filesystem;

Backend Opened(const std::string &name, const fs::path &file)
{
    std::string path = fs::absolute(file);
    void *object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);

    if (!object) {
        fprintf(stderr, "%s\n", dlerror());
        abort();
    }
    void *entry = dlsym(object, AIOX_FDMON_ENTRY_SYMBOL);
    return {name, path, reinterpret_cast<aiox_fdmon_entry_fn *>(entry)};
}

/* The directory that holds fdmon_poll/fdmon_poll.so and the others. */
fs::path PluginRoot()
{
    const char *set = getenv("AIOX_CONTRACT_ROOT");

    return set ? set : "plugins";
}
} // namespace

std::vector<Backend> Backends()
{
    std::vector<Backend> all = {
        {"poll_static", "", aiox_fdmon_poll},
        {"epoll_static", "", aiox_fdmon_epoll},
        {"io_uring_static", "", aiox_fdmon_io_uring},
    };

    for (std::string name : {"poll", "epoll", "io_uring"}) {
        std::string room = "fdmon_" + name;
        all.push_back(Opened(name + "_dynamic", PluginRoot() / room / (room + ".so")));
    }
    if (const char *other = getenv("AIOX_CONTRACT_PLUGIN")) {
        all.push_back(Opened("other", other));
    }
    return all;
}

std::ostream &operator<<(std::ostream &os, const Backend &backend)
{
    return os << backend.name;
}

Host::Host()
{
    table_ = {};
    table_.size = sizeof(table_);
    table_.abi_major = AIOX_FDMON_ABI_MAJOR;
    table_.abi_minor = AIOX_FDMON_ABI_MINOR;
    table_.opaque = this;
    table_.log = Log;
    table_.now_ns = NowNs;
    table_.alloc = Alloc;
    table_.free = Free;
    table_.option = Option;
    table_.get_extension = GetExtension;
}

void Host::SetOption(const std::string &name, const std::string &value)
{
    options_[name] = value;
}

void Host::FailAllocationAfter(int count)
{
    allowed_ = count;
}

Host *Host::Self(const aiox_fdmon_host *host)
{
    return static_cast<Host *>(host->opaque);
}

void Host::Log(const aiox_fdmon_host *, int level, const char *line)
{
    ::testing::Test::RecordProperty("log" + std::to_string(level), line);
}

int64_t Host::NowNs(const aiox_fdmon_host *)
{
    return contract::NowNs();
}

void *Host::Alloc(const aiox_fdmon_host *host, size_t bytes)
{
    Host *self = Self(host);

    if (self->allowed_ >= 0 && self->allowed_.fetch_sub(1) <= 0) {
        self->allowed_ = 0;
        return nullptr;
    }
    self->live_++;
    return calloc(1, bytes);
}

void Host::Free(const aiox_fdmon_host *host, void *memory)
{
    Self(host)->live_ -= memory != nullptr;
    free(memory);
}

const char *Host::Option(const aiox_fdmon_host *host, const char *name)
{
    Host *self = Self(host);
    auto set = self->options_.find(name);

    if (set != self->options_.end()) {
        return set->second.c_str();
    }
    for (auto *o = self->plugin->options; o && o->name; o++) {
        if (!strcmp(o->name, name)) {
            return o->default_value;
        }
    }
    ADD_FAILURE() << "asks for the option " << name << ", which its descriptor does not list";
    return nullptr;
}

const void *Host::GetExtension(const aiox_fdmon_host *, const char *)
{
    return nullptr;
}

Monitor::Monitor(const aiox_fdmon_plugin *plugin, Host *host) : plugin_(plugin)
{
    host->plugin = plugin;
    int err = ops().open(host->table(), &mon_);
    if (err) {
        ADD_FAILURE() << "open: " << strerror(-err);
        abort();
    }
}

Monitor::~Monitor()
{
    Close();
}

void Monitor::Close()
{
    if (mon_) {
        ops().close(mon_);
        mon_ = nullptr;
    }
}

int Monitor::Watch(int fd, uint32_t events, uint64_t token)
{
    std::lock_guard<std::mutex> guard(lock_);
    auto known = watched_.find(fd);
    uint32_t old = known == watched_.end() ? 0 : known->second.events;
    int err = ops().interest(mon_, fd, old, events, token);

    if (!err) {
        watched_[fd] = {events, token};
    }
    return err;
}

int Monitor::Stop(int fd)
{
    std::lock_guard<std::mutex> guard(lock_);
    Watched known = watched_.at(fd);

    watched_.erase(fd);
    return ops().interest(mon_, fd, known.events, 0, known.token);
}

void Monitor::Forget(int fd)
{
    std::lock_guard<std::mutex> guard(lock_);

    watched_.erase(fd);
}

std::vector<aiox_fdmon_event> Monitor::Collect(int64_t timeout_ns, int max)
{
    std::vector<aiox_fdmon_event> out(max);
    std::set<uint64_t> seen;
    int n = ops().collect(mon_, timeout_ns, out.data(), max);

    EXPECT_GE(n, 0) << strerror(-n);
    EXPECT_LE(n, max);
    out.resize(n < 0 ? 0 : n);
    for (auto &e : out) {
        EXPECT_TRUE(e.events == 0 || seen.insert(e.token).second) << "twice: " << e.token;
        EXPECT_EQ(e.events & ~AIOX_FD_ALL, 0u) << e.token;
    }
    return out;
}

Reports Monitor::Look(int max)
{
    Reports reports;

    for (auto &e : Collect(0, max)) {
        reports[e.token] = e.events;
    }
    return reports;
}

void Monitor::Await(uint64_t token, uint32_t events)
{
    uint32_t seen = 0;

    while ((seen & events) != events) {
        for (auto &e : Collect(-1)) {
            seen = e.token == token ? seen | e.events : seen;
        }
    }
}

int Monitor::CollectsUntilAsleep(int limit, std::map<uint64_t, std::vector<uint32_t>> *said)
{
    constexpr int64_t kNap = 500000;
    int awake = 0;

    for (int naps = 0; naps < 3 && awake < limit;) {
        int64_t start = NowNs();
        auto events = Collect(kNap);
        bool napped = events.empty() && NowNs() - start >= kNap;

        for (auto &e : events) {
            if (said) {
                (*said)[e.token].push_back(e.events);
            }
        }
        naps = napped ? naps + 1 : 0;
        awake += !napped;
    }
    return awake;
}

int Monitor::Flush()
{
    return ops().flush ? ops().flush(mon_) : 0;
}

const aiox_fdmon_completion *Monitor::completion() const
{
    return plugin_->get_extension ? static_cast<const aiox_fdmon_completion *>(
                                        plugin_->get_extension(AIOX_FDMON_COMPLETION_ID))
                                  : nullptr;
}

FdmonContract::FdmonContract() : plugin_(GetParam().entry(0)), before_(OpenDescriptors())
{
    host_.plugin = plugin_;
}

FdmonContract::~FdmonContract()
{
    EXPECT_EQ(host_.live(), 0) << "allocations that were not given back";
    EXPECT_EQ(OpenDescriptors(), before_);
}

Fd &Fd::operator=(Fd &&other) noexcept
{
    reset(other.release());
    return *this;
}

Fd::~Fd()
{
    reset();
}

int Fd::release()
{
    int fd = fd_;

    fd_ = -1;
    return fd;
}

void Fd::reset(int fd)
{
    if (fd_ >= 0) {
        close(fd_);
    }
    fd_ = fd;
}

Fd Event(uint64_t value)
{
    Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));

    if (value) {
        EXPECT_EQ(write(fd.get(), &value, sizeof(value)), (ssize_t)sizeof(value));
    }
    return fd;
}

void Ring(int fd)
{
    uint64_t one = 1;

    EXPECT_EQ(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
}

uint64_t Silence(int fd)
{
    uint64_t value = 0;

    return read(fd, &value, sizeof(value)) == (ssize_t)sizeof(value) ? value : 0;
}

Pair Pipe()
{
    int fds[2];

    EXPECT_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

Pair UnixPair()
{
    int fds[2];

    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

Pair TcpPair()
{
    Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at = {};
    socklen_t bytes = sizeof(at);
    Pair pair;

    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener.get(), (sockaddr *)&at, sizeof(at)), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    EXPECT_EQ(getsockname(listener.get(), (sockaddr *)&at, &bytes), 0);
    pair.b.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(pair.b.get(), (sockaddr *)&at, sizeof(at)), 0);
    pair.a.reset(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    fcntl(pair.b.get(), F_SETFL, O_NONBLOCK);
    return pair;
}

void WriteByte(int fd)
{
    EXPECT_EQ(write(fd, "x", 1), 1);
}

void Drain(int fd)
{
    char buffer[4096];

    while (read(fd, buffer, sizeof(buffer)) > 0) {
    }
}

void Fill(int fd)
{
    char buffer[4096] = {};

    while (write(fd, buffer, sizeof(buffer)) > 0) {
    }
    while (write(fd, buffer, 1) > 0) {
    }
}

std::set<std::string> OpenDescriptors()
{
    std::set<std::string> open;
    DIR *dir = opendir("/proc/self/fd");

    while (dirent *entry = readdir(dir)) {
        char target[256] = {};
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir) &&
            readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0) {
            open.insert(std::string(entry->d_name) + " " + target);
        }
    }
    closedir(dir);
    return open;
}

int64_t NowNs()
{
    timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int InChild(const std::function<int()> &body)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        _exit(body());
    }
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static std::string NameOf(const ::testing::TestParamInfo<Backend> &backend)
{
    return backend.param.name;
}

/* For all tests of the suite, whichever file they are in. */
INSTANTIATE_TEST_SUITE_P(Fdmon, FdmonContract, ::testing::ValuesIn(Backends()), NameOf);

} // namespace contract
