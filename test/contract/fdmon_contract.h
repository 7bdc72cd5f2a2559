/* SPDX-License-Identifier: MIT */
/*
 * fdmon_contract.h - what the suite of the backend contract is written in.
 *
 * The suite asks one question of a backend: is what aiox/fdmon.h says true of
 * it? It plays the loop itself and uses no library of the tree. Each test is
 * run against each backend, linked in and opened as a shared object.
 *
 * AIOX_CONTRACT_PLUGIN=/absolute/path/fdmon_x.so adds a backend from elsewhere.
 */
#ifndef AIOX_TEST_CONTRACT_FDMON_CONTRACT_H_
#define AIOX_TEST_CONTRACT_FDMON_CONTRACT_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/fdmon.h"
#include "aiox/fdmon_pollfd.h"

#include "scenery.h"

namespace contract
{

/* One backend in one of its shapes. */
struct Backend {
    std::string name; /* epoll_static, epoll_dynamic */
    std::string file; /* of the shared object; empty: linked in */
    aiox_fdmon_entry_fn *entry;
};

/* All; those that can do @cap; those whose name begins with @name. */
std::vector<Backend> Backends();
std::vector<Backend> BackendsThatCan(uint64_t cap);
std::vector<Backend> BackendsCalled(const std::string &name);
std::string NameOf(const ::testing::TestParamInfo<Backend> &backend);
std::ostream &operator<<(std::ostream &os, const Backend &backend);

/* The loop's side of the table; counts what the backend takes. */
class Host
{
  public:
    Host();

    const aiox_fdmon_host *table() const
    {
        return &table_;
    }
    void SetOption(const std::string &name, const std::string &value);
    /* Somebody else will wait for the backend: what open() is told. */
    void SetHosted()
    {
        hosted_ = true;
    }
    /* One thread after another will be [home]: what open() is told. */
    void SetRoaming()
    {
        roaming_ = true;
    }
    /* The allocation after @count more ones fails, and all that follow; -1: none. */
    void FailAllocationAfter(int count);
    int live() const
    {
        return live_;
    }

    /* The descriptor whose defaults option() falls back to. */
    const aiox_fdmon_plugin *plugin = nullptr;

  private:
    static Host *Self(const aiox_fdmon_host *host);
    static void Log(const aiox_fdmon_host *, int level, const char *line);
    static int64_t NowNs(const aiox_fdmon_host *);
    static void *Alloc(const aiox_fdmon_host *host, size_t bytes);
    static void Free(const aiox_fdmon_host *host, void *memory);
    static const char *Option(const aiox_fdmon_host *host, const char *name);
    static const void *GetExtension(const aiox_fdmon_host *host, const char *id);

    aiox_fdmon_host table_;
    std::atomic<int> live_{0};
    std::atomic<int> allowed_{-1};
    std::map<std::string, std::string> options_;
    bool hosted_ = false;
    bool roaming_ = false;
};

using Reports = std::map<uint64_t, uint32_t>; /* token -> AIOX_FD_* */

/* A monitor as a loop sees it: remembers what is watched, checks each answer. */
class Monitor
{
  public:
    Monitor(const aiox_fdmon_plugin *plugin, Host *host);
    ~Monitor();
    Monitor(const Monitor &) = delete;
    Monitor &operator=(const Monitor &) = delete;

    /* interest(). Any thread. */
    int Watch(int fd, uint32_t events, uint64_t token);
    int Stop(int fd);
    /* As if it had never been watched: what a loop knows that was not told of a close(). */
    void Forget(int fd);

    /* One collect(). A token that comes twice fails the test. */
    std::vector<aiox_fdmon_event> Collect(int64_t timeout_ns, int max = 64);
    /* One collect() that waits for nothing, readiness only. */
    Reports Look(int max = 64);
    /* Waits until @token is reported with all of @events. */
    void Await(uint64_t token, uint32_t events);
    /*
     * Collects until some calls in a row had nothing to say and slept their time out. Returns how
     * many did not, at most @limit, and in @said what they said.
     */
    int CollectsUntilAsleep(int limit, std::map<uint64_t, std::vector<uint32_t>> *said = nullptr);
    int Flush();
    void Close();

    aiox_fdmon *get()
    {
        return mon_;
    }
    const aiox_fdmon_ops &ops() const
    {
        return *plugin_->ops;
    }
    const aiox_fdmon_completion *completion() const;
    const aiox_fdmon_pollfd *pollfd() const;

  private:
    struct Watched {
        uint32_t events;
        uint64_t token;
    };

    const aiox_fdmon_plugin *plugin_;
    aiox_fdmon *mon_ = nullptr;
    std::mutex lock_; /* interest(): one at a time */
    std::map<int, Watched> watched_;
};

class FdmonContract : public ::testing::TestWithParam<Backend>
{
  protected:
    FdmonContract();
    ~FdmonContract() override;

    const aiox_fdmon_plugin *plugin() const
    {
        return plugin_;
    }
    bool Has(uint64_t cap) const
    {
        return plugin_->caps & cap;
    }

    Host host_;

  private:
    const aiox_fdmon_plugin *plugin_;
    std::set<std::string> before_; /* open descriptors */
};

/* What the backend says of where it is. */
aiox_fdmon_probe Probe(const aiox_fdmon_plugin *plugin, const Host &host);
/* The same, once there is memory. */
aiox_fdmon_probe PatientProbe(const aiox_fdmon_plugin *plugin, const Host &host);

} // namespace contract

#endif /* AIOX_TEST_CONTRACT_FDMON_CONTRACT_H_ */
