/* SPDX-License-Identifier: MIT */
/*
 * scripted_fdmon.h - a backend that reports what the test says: no kernel.
 *
 * At most one script at a time. A context that is made on ScriptedFdmon's
 * sources takes its events from it. Without events, a wait with a time limit
 * moves the fake clock by that time, and one without a limit ends at once (a
 * test cannot wait for ever).
 */
#ifndef AIOX_TEST_HARNESS_SCRIPTED_FDMON_H_
#define AIOX_TEST_HARNESS_SCRIPTED_FDMON_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "aiox/backend.h"
#include "aiox/fdmon.h"

namespace aiox_test
{

class ScriptedFdmon
{
  public:
    struct Watch {
        uint32_t events;
        uint64_t token;
    };

    /* What it costs to ask whether something is ready. */
    enum Asking {
        kDear,  /* the more, the more descriptors there are */
        kCheap, /* one collect() */
        kFree,  /* the backend has pending(), it sees descriptors without the kernel */
    };

    explicit ScriptedFdmon(Asking asking = kDear);
    ~ScriptedFdmon();

    /* For aiox_context_new(): this backend, and behind it another script's twin named "spare". */
    const aiox_backend_sources *sources() const
    {
        return &sources_;
    }

    /* The next collect() reports @events of @fd, if that is watched then. */
    void Ready(int fd, uint32_t events);
    /* The next collect() reports exactly this, whatever is watched. */
    void Report(const aiox_fdmon_event &event);
    /* The next collect() fails with this negative errno. */
    void Fail(int error)
    {
        fail_ = error;
    }
    /* interest() for @fd fails with this negative errno from now on; 0: works again. */
    void Refuse(int fd, int error)
    {
        refused_[fd] = error;
    }
    /* Called at the start of each collect(), with its timeout. */
    std::function<void(int64_t)> on_collect;
    const std::map<int, Watch> &watched() const
    {
        return watched_;
    }
    const std::vector<int64_t> &timeouts() const
    {
        return timeouts_;
    }
    /* What the last successful interest() was told of the descriptor's former events. */
    uint32_t former() const
    {
        return former_;
    }
    int opened() const
    {
        return opened_;
    }
    int64_t now_ns() const
    {
        return now_ns_;
    }
    void Advance(int64_t ns)
    {
        now_ns_ += ns;
    }
    /* Each look at the clock moves it so far: for code that looks until a time. */
    int64_t tick_ns = 0;

  private:
    friend struct Calls;

    aiox_fdmon_entry_fn *linked_in_[3];
    aiox_backend_sources sources_;
    std::map<int, Watch> watched_;
    std::map<int, int> refused_;
    std::deque<std::pair<int, uint32_t>> ready_;
    std::deque<aiox_fdmon_event> reports_;
    std::vector<int64_t> timeouts_;
    int fail_ = 0;
    int opened_ = 0;
    uint32_t former_ = 0;
    int64_t now_ns_ = 1000000000;
};

} // namespace aiox_test

#endif /* AIOX_TEST_HARNESS_SCRIPTED_FDMON_H_ */
