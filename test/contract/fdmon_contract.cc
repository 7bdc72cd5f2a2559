/* SPDX-License-Identifier: MIT */
/*
 * fdmon_contract.cc - the loop's side, played by the suite.
 */
#include "fdmon_contract.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>

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

const struct {
    std::string name;
    aiox_fdmon_entry_fn *linked_in;
} kOfTheTree[] = {
    {"poll", aiox_fdmon_poll},
    {"epoll", aiox_fdmon_epoll},
#ifdef AIOX_CONTRACT_IO_URING
    {"io_uring", aiox_fdmon_io_uring},
#endif
};
} // namespace

std::vector<Backend> Backends()
{
    std::vector<Backend> all;

    for (auto &one : kOfTheTree) {
        all.push_back({one.name + "_static", "", one.linked_in});
    }
    for (auto &one : kOfTheTree) {
        std::string room = "fdmon_" + one.name;
        all.push_back(Opened(one.name + "_dynamic", PluginRoot() / room / (room + ".so")));
    }
    if (const char *other = getenv("AIOX_CONTRACT_PLUGIN")) {
        all.push_back(Opened("other", other));
    }
    return all;
}

std::vector<Backend> BackendsThatCan(uint64_t cap)
{
    std::vector<Backend> some;

    for (auto &backend : Backends()) {
        if (backend.entry(0)->caps & cap) {
            some.push_back(backend);
        }
    }
    return some;
}

std::vector<Backend> BackendsCalled(const std::string &name)
{
    std::vector<Backend> some;

    for (auto &backend : Backends()) {
        if (backend.entry(0)->name == name) {
            some.push_back(backend);
        }
    }
    return some;
}

std::string NameOf(const ::testing::TestParamInfo<Backend> &backend)
{
    return backend.param.name;
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
    EXPECT_LT(bytes, (size_t)1 << 26);
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

const void *Host::GetExtension(const aiox_fdmon_host *host, const char *id)
{
    const Host *self = Self(host);
    bool is_told = (self->hosted_ && std::strcmp(id, AIOX_FDMON_POLLFD_ID) == 0) ||
                   (self->roaming_ && std::strcmp(id, AIOX_FDMON_ROAMING_ID) == 0);

    return is_told ? host : nullptr;
}

Monitor::Monitor(const aiox_fdmon_plugin *plugin, Host *host) : plugin_(plugin)
{
    int err;

    host->plugin = plugin;
    do { /* rings of other tests may still fill the limit of locked memory */
        err = ops().open(host->table(), &mon_);
    } while (err == -ENOMEM);
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

const aiox_fdmon_pollfd *Monitor::pollfd() const
{
    if (!plugin_->get_extension) {
        return nullptr;
    }
    return static_cast<const aiox_fdmon_pollfd *>(plugin_->get_extension(AIOX_FDMON_POLLFD_ID));
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

aiox_fdmon_probe PatientProbe(const aiox_fdmon_plugin *plugin, const Host &host)
{
    aiox_fdmon_probe probe;

    do {
        probe = Probe(plugin, host);
    } while (probe.error == -ENOMEM);
    return probe;
}

aiox_fdmon_probe Probe(const aiox_fdmon_plugin *plugin, const Host &host)
{
    aiox_fdmon_probe probe = {};

    probe.size = sizeof(probe);
    EXPECT_EQ(plugin->probe(host.table(), &probe), 0);
    return probe;
}

/* For all tests of the suite, whichever file they are in. */
INSTANTIATE_TEST_SUITE_P(Fdmon, FdmonContract, ::testing::ValuesIn(Backends()), NameOf);

} // namespace contract
