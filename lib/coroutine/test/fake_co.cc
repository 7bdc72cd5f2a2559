/* SPDX-License-Identifier: MIT */
/* fake_co.cc - what the locks use of coroutine.c, by events of a schedule. */
#include "lib/coroutine/test/fake_co.h"

#include <map>
#include <utility>

#include <pthread.h>

#include "lib/coroutine/src/co.h"
#include "lib/coroutine/src/refuse.h"

namespace co_testing
{
using aiox_test::Event;
using aiox_test::FailSchedule;

struct FakeCo::Inside {
    aiox_co co = {}; /* first: see Of() */
    aiox_executor executor = {};
    const char *name = nullptr;
    Event awake;
    bool is_late = false;
};

namespace
{
std::map<pthread_t, FakeCo::Inside *> running;
FakeCo::Inside *callee;

FakeCo::Inside *Of(aiox_co *co)
{
    return reinterpret_cast<FakeCo::Inside *>(co);
}

void Run(FakeCo::Inside *inside, const std::function<void()> &body)
{
    running[pthread_self()] = inside;
    body();
    if (inside->co.locks_held != 0) {
        FailSchedule(std::string(inside->name) + " ends with locks held");
    }
}

int YieldUntil(aiox_executor *, int64_t, void (*too_late)(void *), void *opaque)
{
    FakeCo::Inside *self = Of(aiox_co_self());
    aiox_test::WaitUntil([self] { return self->is_late || self->awake.is_set(); });
    if (self->is_late) {
        too_late(opaque);
    }
    self->awake.Wait();
    return 0;
}
} // namespace

FakeCo::FakeCo(const char *name) : inside(new Inside)
{
    inside->name = name;
    inside->executor.yield_until = &YieldUntil;
    inside->co.executor = &inside->executor;
}

FakeCo::~FakeCo()
{
    if (callee == inside) {
        callee = nullptr;
    }
    delete inside;
}

void FakeCo::Live(aiox_test::Schedule &s, std::function<void()> body)
{
    s.Thread(inside->name, [this, body = std::move(body)] { Run(inside, body); });
}

void FakeCo::LiveAsCallee(aiox_test::Schedule &s)
{
    callee = inside;
    Live(s, [this] {
        inside->awake.Wait();
        inside->co.fn(inside->co.opaque);
    });
}

void FakeCo::Strike()
{
    inside->is_late = true;
}

void FakeCo::ShareHomeWith(const FakeCo &other)
{
    inside->co.executor = &other.inside->executor;
}
} // namespace co_testing

/* ---- coroutine.c ---- */

using co_testing::Of;

aiox_co *aiox_co_self(void)
{
    return &co_testing::running[pthread_self()]->co;
}

void aiox_co_yield(void)
{
    Of(aiox_co_self())->awake.Wait();
}

void aiox_co_wake(aiox_co *co)
{
    if (Of(co)->awake.is_set()) {
        aiox_test::FailSchedule(std::string(Of(co)->name) + " is woken twice");
    }
    Of(co)->awake.Set();
}

void aiox_co_wake_on(aiox_executor *, aiox_co *co)
{
    aiox_co_wake(co);
}

int aiox_co_create(aiox_co **out, const aiox_co_class *, aiox_co_fn *fn, void *opaque)
{
    *out = &co_testing::callee->co;
    (*out)->fn = fn;
    (*out)->opaque = opaque;
    return 0;
}

const char *aiox_co_name(const aiox_co *)
{
    return "a coroutine";
}

void refuse_outside_(const char *)
{
    std::abort();
}

void refuse_to_end_wait_(const aiox_co *)
{
    aiox_test::FailSchedule("woken for nothing");
    std::abort();
}

void refuse_to_lock_twice_(const aiox_co *)
{
    std::abort();
}

void refuse_to_unlock_(const aiox_co *, const char *)
{
    std::abort();
}
