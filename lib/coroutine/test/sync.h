/* SPDX-License-Identifier: MIT */
/* sync.h - an executor whose clock stands still, and aiox/co_sync.h for lambdas. */
#ifndef AIOX_COROUTINE_TEST_SYNC_H_
#define AIOX_COROUTINE_TEST_SYNC_H_

#include <cerrno>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "aiox/co_sync.h"
#include "lib/coroutine/test/testing.h"

namespace co_testing
{
using Diary = std::vector<std::string>;

/*
 * The loop of a test: what it is asked for in a coroutine of another stage runs
 * when told so; its time is what the test says.
 */
class Stage : public aiox_executor
{
  public:
    Stage()
    {
        schedule = [](aiox_executor *ex, aiox_co *co) {
            if (!aiox_in_coroutine()) {
                aiox_co_enter_on(ex, co);
                return;
            }
            aiox_co_mark(co, kName);
            static_cast<Stage *>(ex)->asked_.push_back(co);
        };
        yield_until = [](aiox_executor *ex, int64_t deadline_ns, void (*too_late)(void *),
                         void *opaque) {
            return static_cast<Stage *>(ex)->YieldUntil(deadline_ns, too_late, opaque);
        };
    }
    Stage(const Stage &) = delete;
    Stage &operator=(const Stage &) = delete;

    /* Enters a coroutine that runs @body, now. */
    aiox_co *Enter(std::function<void()> body, const aiox_co_class *class_ = nullptr)
    {
        aiox_co *co = Spawn(std::move(body), class_);
        aiox_co_enter_on(this, co);
        return co;
    }

    /* Runs those who were sent here, in their order, and those who come meanwhile. */
    void Settle()
    {
        while (!asked_.empty()) {
            aiox_co *co = asked_.front();
            asked_.pop_front();
            EXPECT_TRUE(aiox_co_unmark(co, kName));
            aiox_co_enter_on(this, co);
        }
    }

    /* Whose time has come is told so. */
    void Advance(int64_t now_ns)
    {
        while (Alarm *alarm = First(now_ns)) {
            alarms_.remove(alarm);
            alarm->too_late(alarm->opaque);
        }
    }

    size_t alarms() const
    {
        return alarms_.size();
    }

    bool has_no_memory = false;

  private:
    static constexpr const char *kName = "a stage";

    struct Alarm {
        int64_t deadline_ns;
        void (*too_late)(void *);
        void *opaque;
    };

    int YieldUntil(int64_t deadline_ns, void (*too_late)(void *), void *opaque)
    {
        if (has_no_memory) {
            return -ENOMEM;
        }
        Alarm alarm = {deadline_ns, too_late, opaque};
        alarms_.push_back(&alarm);
        Yield();
        alarms_.remove(&alarm);
        return 0;
    }
    Alarm *First(int64_t now_ns)
    {
        for (Alarm *alarm : alarms_) {
            if (alarm->deadline_ns <= now_ns) {
                return alarm;
            }
        }
        return nullptr;
    }

    std::deque<aiox_co *> asked_;
    std::list<Alarm *> alarms_;
};

/* A lambda has no place for coroutine_fn. */
inline void Lock(aiox_co_mutex *m) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_mutex_lock(m);
}
inline int LockUntil(aiox_co_mutex *m, int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_mutex_lock_until(m, deadline_ns);
}
inline bool TryLock(aiox_co_mutex *m) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_mutex_try_lock(m);
}
inline void Unlock(aiox_co_mutex *m) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_mutex_unlock(m);
}
inline void Wait(aiox_co_queue *q, aiox_co_mutex *m = nullptr) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_queue_wait(q, m);
}
inline void WaitHead(aiox_co_queue *q, aiox_co_mutex *m = nullptr) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_queue_wait_head(q, m);
}
inline int WaitUntil(aiox_co_queue *q, aiox_co_mutex *m,
                     int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_queue_wait_until(q, m, deadline_ns);
}
inline void RdLock(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_rwlock_rdlock(l);
}
inline void WrLock(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_rwlock_wrlock(l);
}
inline int RdLockUntil(aiox_co_rwlock *l, int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_rwlock_rdlock_until(l, deadline_ns);
}
inline int WrLockUntil(aiox_co_rwlock *l, int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_rwlock_wrlock_until(l, deadline_ns);
}
inline bool TryRdLock(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_rwlock_try_rdlock(l);
}
inline bool TryWrLock(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_rwlock_try_wrlock(l);
}
inline void RwUnlock(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_rwlock_unlock(l);
}
inline bool Upgrade(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_rwlock_upgrade(l);
}
inline int UpgradeUntil(aiox_co_rwlock *l, int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_rwlock_upgrade_until(l, deadline_ns);
}
inline bool TryUpgrade(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_rwlock_try_upgrade(l);
}
inline void Downgrade(aiox_co_rwlock *l) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_rwlock_downgrade(l);
}
inline void Get(aiox_co_shared_resource *r, uint64_t n) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_shared_resource_get(r, n);
}
inline int GetUntil(aiox_co_shared_resource *r, uint64_t n,
                    int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_shared_resource_get_until(r, n, deadline_ns);
}
inline int RunUntil(aiox_co_fn *fn, void *opaque, aiox_co_fn *late,
                    int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_run_until(fn, opaque, late, deadline_ns);
}
} // namespace co_testing

#endif /* AIOX_COROUTINE_TEST_SYNC_H_ */
