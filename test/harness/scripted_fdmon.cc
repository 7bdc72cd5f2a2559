/* SPDX-License-Identifier: MIT */
#include "test/harness/scripted_fdmon.h"

#include <cerrno>
#include <cstdlib>

#include "aiox/assert.h"
#include "aiox/clock.h"

namespace aiox_test
{
namespace
{
ScriptedFdmon *script;
aiox_clock_source clock_source;
} // namespace

struct Calls {
    static int Open(const aiox_fdmon_host *, aiox_fdmon **out)
    {
        script->opened_++;
        *out = reinterpret_cast<aiox_fdmon *>(script);
        return 0;
    }

    static void Close(aiox_fdmon *)
    {
        script->opened_--;
    }

    static int Interest(aiox_fdmon *, int fd, uint32_t former, uint32_t events, uint64_t token)
    {
        auto refused = script->refused_.find(fd);
        if (events && refused != script->refused_.end() && refused->second < 0) {
            return refused->second;
        }
        script->former_ = former;
        if (events) {
            script->watched_[fd] = {events, token};
        } else {
            script->watched_.erase(fd);
        }
        return 0;
    }

    static int Collect(aiox_fdmon *, int64_t timeout_ns, aiox_fdmon_event *out, int max)
    {
        int count = 0;
        script->timeouts_.push_back(timeout_ns);
        if (script->on_collect) {
            script->on_collect(timeout_ns);
        }
        if (script->fail_) {
            int error = script->fail_;
            script->fail_ = 0;
            return error;
        }
        while (count < max && !script->reports_.empty()) {
            out[count++] = script->reports_.front();
            script->reports_.pop_front();
        }
        while (count < max && !script->ready_.empty()) {
            auto [fd, events] = script->ready_.front();
            script->ready_.pop_front();
            auto watch = script->watched_.find(fd);
            if (watch != script->watched_.end()) {
                out[count++] = {watch->second.token, events, 0};
            }
        }
        if (count == 0 && timeout_ns > 0) {
            script->now_ns_ += timeout_ns;
        }
        return count;
    }

    static bool Pending(aiox_fdmon *)
    {
        return !script->ready_.empty();
    }

    static int Probe(const aiox_fdmon_host *, aiox_fdmon_probe *)
    {
        return 0;
    }

    static int64_t Now(void *opaque)
    {
        auto *self = static_cast<ScriptedFdmon *>(opaque);
        return self->now_ns_ += self->tick_ns;
    }
};

namespace
{
/* A descriptor never changes, so each kind has one of its own. */
struct Kind {
    aiox_fdmon_ops ops{};
    aiox_fdmon_plugin plugin{};

    Kind(const char *name, int rank, ScriptedFdmon::Asking asking)
    {
        ops.size = sizeof(ops);
        ops.open = Calls::Open;
        ops.close = Calls::Close;
        ops.interest = Calls::Interest;
        ops.collect = Calls::Collect;
        ops.pending = asking == ScriptedFdmon::kFree ? Calls::Pending : nullptr;
        plugin.magic = AIOX_FDMON_MAGIC;
        plugin.abi_major = AIOX_FDMON_ABI_MAJOR;
        plugin.abi_minor = AIOX_FDMON_ABI_MINOR;
        plugin.size = sizeof(plugin);
        plugin.rank = rank;
        plugin.name = name;
        plugin.version = "1.0.0";
        plugin.summary = "reports what a test says";
        plugin.license = "MIT";
        plugin.caps = asking == ScriptedFdmon::kFree    ? AIOX_FDMON_CAP_PENDING
                      : asking == ScriptedFdmon::kCheap ? AIOX_FDMON_CAP_MANY_FDS
                                                        : 0;
        plugin.ops = &ops;
        plugin.probe = Calls::Probe;
    }
};

template <ScriptedFdmon::Asking kAsking> const aiox_fdmon_plugin *Scripted(uint32_t index)
{
    static const char *const names[] = {"scripted", "scripted_cheap", "scripted_pending"};
    static const Kind kind(names[kAsking], 10, kAsking);
    return index == 0 ? &kind.plugin : nullptr;
}

const aiox_fdmon_plugin *Spare(uint32_t index)
{
    static const Kind kind("spare", 5, ScriptedFdmon::kDear);
    return index == 0 ? &kind.plugin : nullptr;
}

aiox_fdmon_entry_fn *EntryOf(ScriptedFdmon::Asking asking)
{
    return asking == ScriptedFdmon::kFree    ? Scripted<ScriptedFdmon::kFree>
           : asking == ScriptedFdmon::kCheap ? Scripted<ScriptedFdmon::kCheap>
                                             : Scripted<ScriptedFdmon::kDear>;
}
} // namespace

ScriptedFdmon::ScriptedFdmon(Asking asking)
    : linked_in_{EntryOf(asking), Spare, nullptr}, sources_{}
{
    aiox_assert(!script);
    script = this;
    sources_.linked_in = linked_in_;
    sources_.linked_in_only = true;
    clock_source = {Calls::Now, Calls::Now, this};
    aiox_clock_set_source(&clock_source);
}

ScriptedFdmon::~ScriptedFdmon()
{
    aiox_clock_set_source(nullptr);
    script = nullptr;
}

void ScriptedFdmon::Ready(int fd, uint32_t events)
{
    ready_.emplace_back(fd, events);
}

void ScriptedFdmon::Report(const aiox_fdmon_event &event)
{
    reports_.push_back(event);
}

} // namespace aiox_test
