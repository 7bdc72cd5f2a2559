/* SPDX-License-Identifier: MIT */
/* trace_log.h - the trace points that are passed while one of these lives. */
#ifndef AIOX_TEST_HARNESS_TRACE_LOG_H_
#define AIOX_TEST_HARNESS_TRACE_LOG_H_

#include <cstdint>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "aiox/trace.h"

namespace aiox_test
{
struct TracePoint {
    std::string event;
    uint64_t a;
    uint64_t b;

    bool operator==(const TracePoint &other) const
    {
        return event == other.event && a == other.a && b == other.b;
    }
};

inline std::ostream &operator<<(std::ostream &os, const TracePoint &p)
{
    return os << p.event << " " << p.a << " " << p.b;
}

/* A point's number: an address, or a value that may be negative. */
inline uint64_t Number(const void *address)
{
    return reinterpret_cast<uintptr_t>(address);
}

/* Keeps the points of one room. Every thread may pass some. */
class TraceLog
{
  public:
    explicit TraceLog(std::string room) : room_(std::move(room))
    {
        aiox_trace_set_hook(&TraceLog::Take, this);
    }

    ~TraceLog()
    {
        aiox_trace_set_hook(nullptr, nullptr);
    }

    TraceLog(const TraceLog &) = delete;
    TraceLog &operator=(const TraceLog &) = delete;

    /* What was passed since the last call. */
    std::vector<TracePoint> Points()
    {
        std::lock_guard<std::mutex> guard(lock_);
        return std::move(points_);
    }

    /* The same, of one event. */
    std::vector<TracePoint> Points(const std::string &event)
    {
        std::vector<TracePoint> some;
        for (auto &point : Points()) {
            if (point.event == event) {
                some.push_back(point);
            }
        }
        return some;
    }

  private:
    static void Take(void *self, const char *room, const char *event, uint64_t a, uint64_t b)
    {
        auto *log = static_cast<TraceLog *>(self);
        std::lock_guard<std::mutex> guard(log->lock_);
        if (room == log->room_) {
            log->points_.push_back({event, a, b});
        }
    }

    const std::string room_;
    std::mutex lock_;
    std::vector<TracePoint> points_;
};
} // namespace aiox_test

#endif /* AIOX_TEST_HARNESS_TRACE_LOG_H_ */
