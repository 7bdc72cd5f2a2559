/* SPDX-License-Identifier: MIT */
/* asio.cc - Boost.Asio. */
#include <chrono>

#include "asio.h"

namespace
{
using namespace asio_loop;

struct Watch {
    Watch(Loop *loop, int fd, bench_fn *its_fn, void *its_opaque)
        : descriptor(loop->context, fd), fn(its_fn), opaque(its_opaque)
    {
        Wait();
    }

    ~Watch()
    {
        descriptor.release();
    }

    void Wait()
    {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [this](const boost::system::error_code &error) {
                                  if (!error) {
                                      fn(opaque);
                                      Wait();
                                  }
                              });
    }

    asio::posix::stream_descriptor descriptor;
    bench_fn *fn;
    void *opaque;
};

struct Timer {
    asio::steady_timer timer;
    bench_fn *fn;
    void *opaque;
};

struct Task {
    bench_fn *fn;
    void *opaque;
};

void *StartWatch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    return new Watch(Of(loop), fd, fn, opaque);
}

void StopWatch(void *loop, void *watch)
{
    static_cast<Watch *>(watch)->descriptor.cancel();
    Of(loop)->context.poll(); /* the handler is called once more */
    delete static_cast<Watch *>(watch);
}

void *NewTimer(void *loop, bench_fn *fn, void *opaque)
{
    return new Timer{asio::steady_timer(Of(loop)->context), fn, opaque};
}

void ArmTimer(void *, void *timer, int64_t timeout_ns)
{
    auto *t = static_cast<Timer *>(timer);

    t->timer.expires_after(std::chrono::nanoseconds(timeout_ns));
    t->timer.async_wait([t](const boost::system::error_code &error) {
        if (!error) {
            t->fn(t->opaque);
        }
    });
}

void CancelTimer(void *, void *timer)
{
    static_cast<Timer *>(timer)->timer.cancel();
}

void FreeTimer(void *loop, void *timer)
{
    CancelTimer(loop, timer);
    Of(loop)->context.poll();
    delete static_cast<Timer *>(timer);
}

void *NewTask(void *loop, bench_fn *fn, void *opaque)
{
    LookAtKernel(loop);
    return new Task{fn, opaque};
}

void Ask(void *loop, void *task)
{
    auto *t = static_cast<Task *>(task);

    asio::post(Of(loop)->context, [t] { t->fn(t->opaque); });
}

void FreeTask(void *, void *task)
{
    delete static_cast<Task *>(task);
}

loop_ops AllOps()
{
    loop_ops ops = {};

    ops.open = Open;
    ops.close = Close;
    ops.turn = Turn;
    ops.watch = StartWatch;
    ops.unwatch = StopWatch;
    ops.timer_new = NewTimer;
    ops.timer_arm = ArmTimer;
    ops.timer_arm_from_afar = ArmTimer;
    ops.timer_cancel = CancelTimer;
    ops.timer_free = FreeTimer;
    ops.task_new = NewTask;
    ops.task_ask = Ask;
    ops.task_ask_from_afar = Ask;
    ops.task_free = FreeTask;
    return ops;
}

const loop_ops ops = AllOps();

/* ---- a pool of threads, whose results are posted to the loop ---- */

struct Pool {
    explicit Pool(int count) : threads(static_cast<std::size_t>(count))
    {
    }

    Loop loop;
    asio::thread_pool threads;
};

struct Job {
    Task run;
    Task done;
};

void *OpenPool(const contender *, int threads, const char **)
{
    return new Pool(threads);
}

void ClosePool(void *pool)
{
    static_cast<Pool *>(pool)->threads.join();
    delete static_cast<Pool *>(pool);
}

void TurnPool(void *pool)
{
    Turn(&static_cast<Pool *>(pool)->loop, true);
}

void *NewJob(void *, bench_fn *run, bench_fn *done, void *opaque)
{
    return new Job{{run, opaque}, {done, opaque}};
}

void Submit(void *pool, void *job)
{
    auto *p = static_cast<Pool *>(pool);
    auto *j = static_cast<Job *>(job);

    asio::post(p->threads, [p, j] {
        j->run.fn(j->run.opaque);
        Ask(&p->loop, &j->done);
    });
}

void FreeJob(void *, void *job)
{
    delete static_cast<Job *>(job);
}

const pool_ops pool = {OpenPool, ClosePool, TurnPool, NewJob, Submit, FreeJob};

} // namespace

extern "C" {
extern const contender boost_asio;
const contender boost_asio = {"asio",  PEER,    nullptr, Version, &ops,
                              nullptr, nullptr, &pool,   nullptr, nullptr};
}
