/* SPDX-License-Identifier: MIT */
/*
 * schedule.cc - a depth-first search over who goes next and what a load sees.
 *
 * A run is a list of decisions. It is repeated up to the last decision that
 * has an option left, takes that, and the plainest option from there on. The
 * thread that is running decides who is next at each of its accesses, so a
 * step without a switch costs no jump.
 */
#include "test/harness/schedule.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "aiox/atomic.h"

#include "test/harness/fiber.h"

extern "C" {
void __real_free(void *p);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
pthread_t __real_pthread_self(void);
void __wrap_free(void *p);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
pthread_t __wrap_pthread_self(void);
}

namespace aiox_test
{
namespace
{
constexpr size_t kStackBytes = 256 * 1024;
constexpr int kMaxSteps = 5000;
constexpr int kNobody = -1;

const char *const kModeNames[] = {"sc", "pso", "c11"};
const char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr int kMaxOptions = sizeof(kDigits) - 1;

/* Leaves the body of a test whose run has failed. */
struct StopRun {
};

class Explorer final : public Director
{
  public:
    explicit Explorer(const ScheduleOptions &options) : options_(options), memory_(this)
    {
    }

    ScheduleResult Search(const std::function<void(Schedule &)> &body);

    /* What a body does. */
    void Add(const char *name, std::function<void()> fn, bool daemon);
    void RunThreads();
    void SetName(const void *where, const char *name)
    {
        names_[where] = name;
    }

    /* What a thread of a run does. */
    bool InThread() const
    {
        return on_fiber_ && !looking_;
    }
    MemoryModel &memory()
    {
        return memory_;
    }
    int current() const
    {
        return current_;
    }
    void Point();
    void BlockUntil(std::function<bool()> ready);
    void Relax();
    void FutexWait(const void *where, uint32_t value);
    void FutexWake(const void *where, int how_many);
    void Lock(const void *mutex);
    bool TryLock(const void *mutex);
    void Unlock(const void *mutex);
    void FreeLater(void *p);
    void **Own()
    {
        return &own_[on_fiber_ ? current_ : kMaxThreads];
    }

    int Choose(int options) override;
    void Fail(const std::string &why) override;
    bool Tracing() const override
    {
        return tracing_;
    }
    void Trace(int thread, const std::string &what) override;
    std::string NameOfThread(int thread) const override
    {
        return threads_[thread].name;
    }
    std::string NameOf(const void *where) const override;

    std::string Replay() const;

  private:
    enum class Wait { kNot, kFutex, kCondition, kRelax, kEnded };
    struct ScheduledThread {
        std::string name;
        std::function<void()> fn;
        bool daemon;
        Wait wait = Wait::kNot;
        const void *futex = nullptr;
        std::function<bool()> ready;
        uint64_t changes_seen = 0;
    };
    enum class Act { kRun, kCommit, kSpurious };
    struct Option {
        Act act;
        int thread;
        int which;
    };
    struct Decision {
        int chosen;
        int options;
    };
    struct Mutex {
        int owner = kNobody;
        Sync sync;
    };

    bool Enabled(int thread, bool last_resort);
    void AddOptions(std::vector<Option> *options, bool may_stay, bool last_resort);
    int PickNext();
    void Go(int next);
    void Block(Wait wait);
    [[noreturn]] void EndThread();
    [[noreturn]] void LeaveRun();
    void CheckThatAllHaveEnded();
    static void ThreadMain(void *index);

    bool SearchAtBound(int bound, const std::function<void(Schedule &)> &body);
    void RunOnce(const std::function<void(Schedule &)> &body);
    bool NextDecisions();
    bool SetDecisions(const char *replay);
    void Explain(const std::function<void(Schedule &)> &body);
    double Seconds() const;

    const ScheduleOptions options_;
    MemoryModel memory_;
    ScheduleResult result_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

    /* Of the search. */
    std::vector<Decision> decisions_;
    int bound_ = 0;
    bool bound_was_felt_ = false;
    bool gtest_had_failed_ = false;

    /* Of one run. */
    size_t depth_ = 0;
    int left_ = 0;
    int spurious_left_ = 0;
    int steps_ = 0;
    int current_ = kNobody;
    bool on_fiber_ = false;
    bool picked_ = false;  /* the current thread, and it has not yet made an access */
    bool looking_ = false; /* at the condition of a thread that waits */
    bool tracing_ = false;
    std::string failure_;
    std::vector<ScheduledThread> threads_;
    std::vector<Option> options_now_;
    std::vector<void *> freed_;
    std::array<void *, kMaxThreads + 1> own_; /* the last is that of the body */
    std::map<const void *, Mutex> mutexes_;
    std::map<const void *, std::string> names_;
};

Explorer *explorer; /* while a search is under way */

Fiber *MainFiber()
{
    static Fiber fiber;
    return &fiber;
}

Fiber *FiberOf(int thread)
{
    static std::array<std::unique_ptr<Fiber>, kMaxThreads> fibers;

    if (!fibers[thread]) {
        fibers[thread] = std::make_unique<Fiber>(kStackBytes);
    }
    return fibers[thread].get();
}

/* ---- deciding ---- */

int Explorer::Choose(int options)
{
    if (options == 1) {
        return 0;
    }
    if (options > kMaxOptions) {
        Fail("one decision has too many options");
    }
    if (depth_ == decisions_.size()) {
        decisions_.push_back({0, options});
    }
    Decision &decision = decisions_[depth_++];
    if (decision.options == 0) {
        decision.options = options; /* from a replay string */
    }
    if (decision.options != options || decision.chosen >= options) {
        Fail("the test does not do the same each time (or the replay is of another)");
    }
    return decision.chosen;
}

/* With @last_resort, spinning threads may go on although nothing has changed. */
bool Explorer::Enabled(int thread, bool last_resort)
{
    ScheduledThread &t = threads_[thread];

    switch (t.wait) {
    case Wait::kNot:
        return true;
    case Wait::kCondition: {
        looking_ = true;
        bool ready = t.ready();
        looking_ = false;
        return ready;
    }
    case Wait::kRelax:
        return last_resort || memory_.Changes() != t.changes_seen;
    default:
        return false;
    }
}

void Explorer::AddOptions(std::vector<Option> *options, bool may_stay, bool last_resort)
{
    int count = static_cast<int>(threads_.size());

    for (int t = 0; t < count; t++) {
        if (!(may_stay && t == current_) && Enabled(t, last_resort)) {
            options->push_back({Act::kRun, t, 0});
        }
    }
    for (int t = 0; t < count; t++) {
        for (int i = memory_.Committable(t) - 1; i >= 0; i--) {
            options->push_back({Act::kCommit, t, i});
        }
        if (spurious_left_ > 0 && threads_[t].wait == Wait::kFutex) {
            options->push_back({Act::kSpurious, t, 0});
        }
    }
}

/* The thread that goes on, or kNobody. */
int Explorer::PickNext()
{
    for (;;) {
        bool may_stay = current_ != kNobody && Enabled(current_, false);
        options_now_.clear();
        if (may_stay) {
            options_now_.push_back({Act::kRun, current_, 0});
        }
        if (may_stay && left_ == 0) {
            bound_was_felt_ = true;
        } else {
            AddOptions(&options_now_, may_stay, false);
        }
        if (options_now_.empty()) {
            AddOptions(&options_now_, false, true);
        }
        if (options_now_.empty()) {
            return kNobody;
        }
        Option option = options_now_[Choose(static_cast<int>(options_now_.size()))];
        left_ -= may_stay && !(option.act == Act::kRun && option.thread == current_);
        switch (option.act) {
        case Act::kRun:
            return option.thread;
        case Act::kCommit:
            memory_.Commit(option.thread, option.which);
            break;
        case Act::kSpurious:
            spurious_left_--;
            threads_[option.thread].wait = Wait::kNot;
            break;
        }
    }
}

/* ---- switching ---- */

void Explorer::Go(int next)
{
    int from = current_;

    threads_[next].wait = Wait::kNot;
    picked_ = true;
    if (next != from) {
        current_ = next;
        Fiber::Jump(*FiberOf(from), *FiberOf(next));
    }
}

/* Before each access: here another thread may come in between, if none has just done so. */
void Explorer::Point()
{
    if (++steps_ > kMaxSteps) {
        Fail("the run does not end");
    }
    if (!picked_) {
        Go(PickNext());
    }
    picked_ = false;
}

void Explorer::Block(Wait wait)
{
    threads_[current_].wait = wait;
    int next = PickNext();
    if (next == kNobody) {
        LeaveRun();
    }
    Go(next);
}

void Explorer::BlockUntil(std::function<bool()> ready)
{
    memory_.Flush(current_);
    threads_[current_].ready = std::move(ready);
    if (!Enabled(current_, false)) {
        Trace(current_, "waits");
    }
    Block(Wait::kCondition);
}

void Explorer::Relax()
{
    threads_[current_].changes_seen = memory_.Changes();
    Block(Wait::kRelax);
}

void Explorer::EndThread()
{
    threads_[current_].wait = Wait::kEnded;
    int next = PickNext();
    if (next == kNobody) {
        LeaveRun();
    }
    Go(next);
    std::abort(); /* an ended thread went on */
}

void Explorer::LeaveRun()
{
    on_fiber_ = false;
    Fiber::Jump(*FiberOf(current_), *MainFiber());
    std::abort(); /* a run that was left went on */
}

void Explorer::ThreadMain(void *index)
{
    auto thread = reinterpret_cast<intptr_t>(index);

    explorer->threads_[thread].fn();
    explorer->EndThread();
}

void Explorer::Fail(const std::string &why)
{
    failure_ = why;
    if (on_fiber_) {
        LeaveRun();
    }
    throw StopRun();
}

void Explorer::Trace(int thread, const std::string &what)
{
    if (tracing_) {
        result_.trace += "  " + threads_[thread].name + ": " + what + "\n";
    }
}

std::string Explorer::NameOf(const void *where) const
{
    auto name = names_.find(where);

    return name == names_.end() ? "" : name->second;
}

/* ---- what threads call ---- */

void Explorer::FutexWait(const void *where, uint32_t value)
{
    Point();
    if (memory_.Newest(current_, where, sizeof(value)) != value) {
        Trace(current_, "futex wait: the word has changed");
        return;
    }
    Trace(current_, "futex wait: sleeps");
    threads_[current_].futex = where;
    Block(Wait::kFutex);
    memory_.Newest(current_, where, sizeof(value));
}

/* The kernel may wake any of those who sleep. */
void Explorer::FutexWake(const void *where, int how_many)
{
    Point();
    memory_.Flush(current_);
    Trace(current_, "futex wake");
    for (; how_many > 0; how_many--) {
        std::array<int, kMaxThreads> sleepers;
        int count = 0;
        for (int t = 0; t < static_cast<int>(threads_.size()); t++) {
            if (threads_[t].wait == Wait::kFutex && threads_[t].futex == where) {
                sleepers[count++] = t;
            }
        }
        if (count == 0) {
            return;
        }
        threads_[sleepers[Choose(count)]].wait = Wait::kNot;
    }
}

bool Explorer::TryLock(const void *mutex)
{
    Mutex &m = mutexes_[mutex];

    Point();
    if (m.owner != kNobody) {
        return false;
    }
    m.owner = current_;
    memory_.Acquire(current_, m.sync);
    Trace(current_, "locks a mutex");
    return true;
}

void Explorer::Lock(const void *mutex)
{
    Mutex &m = mutexes_[mutex];

    while (!TryLock(mutex)) {
        if (m.owner == current_) {
            Fail("a thread locks a mutex that it has");
        }
        BlockUntil([&m] { return m.owner == kNobody; });
    }
}

void Explorer::Unlock(const void *mutex)
{
    Mutex &m = mutexes_[mutex];

    if (m.owner != current_) {
        Fail("a thread unlocks a mutex that it does not have");
    }
    Trace(current_, "unlocks a mutex");
    memory_.Release(current_, &m.sync);
    m.owner = kNobody;
}

void Explorer::FreeLater(void *p)
{
    Trace(current_, "free");
    memory_.Free(current_, p, malloc_usable_size(p));
    freed_.push_back(p);
}

/* ---- one run ---- */

void Explorer::Add(const char *name, std::function<void()> fn, bool daemon)
{
    if (threads_.size() == kMaxThreads) {
        Fail("the test has too many threads");
    }
    ScheduledThread thread;
    thread.name = name;
    thread.fn = std::move(fn);
    thread.daemon = daemon;
    threads_.push_back(std::move(thread));
}

void Explorer::CheckThatAllHaveEnded()
{
    std::string who;

    for (const ScheduledThread &t : threads_) {
        if (!t.daemon && t.wait != Wait::kEnded) {
            who += " '" + t.name + "'";
        }
    }
    if (!who.empty()) {
        Fail("nobody can go on, a wake-up is lost:" + who + " waits for ever");
    }
}

void Explorer::RunThreads()
{
    memory_.Reset(options_.mode, static_cast<int>(threads_.size()), options_.old_values);
    for (size_t t = 0; t < threads_.size(); t++) {
        FiberOf(static_cast<int>(t))
            ->Prepare(&Explorer::ThreadMain, reinterpret_cast<void *>(static_cast<intptr_t>(t)));
    }
    current_ = kNobody;
    int first = PickNext();
    if (first != kNobody) {
        current_ = first;
        picked_ = true;
        on_fiber_ = true;
        Fiber::Jump(*MainFiber(), *FiberOf(first));
    }
    if (!failure_.empty()) {
        throw StopRun();
    }
    CheckThatAllHaveEnded();
}

void Explorer::RunOnce(const std::function<void(Schedule &)> &body)
{
    Schedule schedule;

    depth_ = 0;
    looking_ = false;
    left_ = bound_;
    spurious_left_ = options_.spurious_wakes;
    steps_ = 0;
    failure_.clear();
    threads_.clear();
    mutexes_.clear();
    names_.clear();
    own_.fill(nullptr);
    try {
        body(schedule);
    } catch (const StopRun &) {
    }
    for (void *p : freed_) {
        __real_free(p);
    }
    freed_.clear();
    if (failure_.empty() && !gtest_had_failed_ && ::testing::Test::HasFailure()) {
        failure_ = "a googletest expectation failed";
    }
    result_.runs++;
    result_.steps += steps_;
}

/* ---- the search ---- */

double Explorer::Seconds() const
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

/* The decisions of the next run; false if there is none. */
bool Explorer::NextDecisions()
{
    while (!decisions_.empty() && decisions_.back().chosen + 1 >= decisions_.back().options) {
        decisions_.pop_back();
    }
    if (decisions_.empty()) {
        return false;
    }
    decisions_.back().chosen++;
    return true;
}

/* False if the search was cut short or has found something. */
bool Explorer::SearchAtBound(int bound, const std::function<void(Schedule &)> &body)
{
    bound_ = bound;
    bound_was_felt_ = false;
    decisions_.clear();
    do {
        RunOnce(body);
        if (!failure_.empty()) {
            decisions_.resize(depth_);
            return false;
        }
        if (result_.runs % 256 == 0 && Seconds() > options_.max_seconds) {
            return false;
        }
    } while (NextDecisions());
    return true;
}

std::string Explorer::Replay() const
{
    std::string text = std::string(kModeNames[static_cast<int>(options_.mode)]) + ":" +
                       std::to_string(bound_) + ":";
    size_t last = depth_;

    while (last > 0 && decisions_[last - 1].chosen == 0) {
        last--;
    }
    for (size_t i = 0; i < last; i++) {
        text += kDigits[decisions_[i].chosen];
    }
    return text;
}

/* "c11:2:01001". False if that is another mode's. */
bool Explorer::SetDecisions(const char *replay)
{
    std::string mode = std::string(kModeNames[static_cast<int>(options_.mode)]) + ":";

    if (std::strncmp(replay, mode.c_str(), mode.size()) != 0) {
        return false;
    }
    char *digits;
    bound_ = static_cast<int>(std::strtol(replay + mode.size(), &digits, 10));
    for (digits += *digits == ':'; *digits; digits++) {
        const char *digit = std::strchr(kDigits, *digits);
        if (digit) {
            decisions_.push_back({static_cast<int>(digit - kDigits), 0});
        }
    }
    return true;
}

/* Repeats the run that failed and writes down what it does. */
void Explorer::Explain(const std::function<void(Schedule &)> &body)
{
    result_.replay = Replay();
    result_.failure = failure_;
    tracing_ = true;
    gtest_had_failed_ = true;
    RunOnce(body);
    tracing_ = false;
    if (failure_ != result_.failure && failure_.empty() == false) {
        result_.trace += "  (repeated, it failed otherwise: " + failure_ + ")\n";
    }
}

ScheduleResult Explorer::Search(const std::function<void(Schedule &)> &body)
{
    const char *replay = std::getenv("AIOX_SCHEDULE_REPLAY");

    gtest_had_failed_ = ::testing::Test::HasFailure();
    if (replay) {
        if (SetDecisions(replay)) {
            RunOnce(body);
            Explain(body);
        }
    } else {
        bool go_on = true;
        for (int bound = 0; go_on && bound <= options_.bound; bound++) {
            go_on = SearchAtBound(bound, body);
            result_.complete = go_on;
            go_on = go_on && bound_was_felt_;
        }
        if (!failure_.empty()) {
            Explain(body);
        }
    }
    result_.seconds = Seconds();
    return result_;
}

/* ---- a crash inside a run ---- */

struct sigaction old_action[NSIG];

void OnCrash(int signal)
{
    std::string text = "while the explorer ran AIOX_SCHEDULE_REPLAY='" + explorer->Replay() + "'\n";

    if (write(STDERR_FILENO, text.data(), text.size()) < 0) {
        _exit(1);
    }
    sigaction(signal, &old_action[signal], nullptr);
    raise(signal);
}

/* Says which run it was, and leaves the rest to who was there before. */
class CrashNote
{
  public:
    CrashNote()
    {
        struct sigaction action = {};
        action.sa_handler = &OnCrash;
        for (int signal : kSignals) {
            sigaction(signal, &action, &old_action[signal]);
        }
    }
    ~CrashNote()
    {
        for (int signal : kSignals) {
            sigaction(signal, &old_action[signal], nullptr);
        }
    }

  private:
    static constexpr int kSignals[] = {SIGABRT, SIGSEGV, SIGBUS};
};

uint64_t ReadDirectly(const void *where, unsigned size)
{
    return size == 4 ? *static_cast<const volatile uint32_t *>(where)
                     : *static_cast<const volatile uint64_t *>(where);
}

void WriteDirectly(void *where, unsigned size, uint64_t value)
{
    if (size == 4) {
        *static_cast<volatile uint32_t *>(where) = static_cast<uint32_t>(value);
    } else {
        *static_cast<volatile uint64_t *>(where) = value;
    }
}

bool InThread()
{
    return explorer && explorer->InThread();
}

using Change = uint64_t (*)(uint64_t old, uint64_t operand);

Change ChangeOf(aiox_sched_op_ op)
{
    switch (op) {
    case AIOX_SCHED_OR_:
        return [](uint64_t old, uint64_t bits) { return old | bits; };
    case AIOX_SCHED_AND_:
        return [](uint64_t old, uint64_t bits) { return old & bits; };
    case AIOX_SCHED_ADD_:
        return [](uint64_t old, uint64_t n) { return old + n; };
    default:
        return [](uint64_t, uint64_t value) { return value; };
    }
}
} // namespace

/* ---- the face ---- */

void Schedule::Thread(const char *name, std::function<void()> fn)
{
    explorer->Add(name, std::move(fn), false);
}

void Schedule::Daemon(const char *name, std::function<void()> fn)
{
    explorer->Add(name, std::move(fn), true);
}

void Schedule::Name(const void *where, const char *name)
{
    explorer->SetName(where, name);
}

void Schedule::Run()
{
    explorer->RunThreads();
}

void Event::Set()
{
    if (InThread()) {
        explorer->Point();
        explorer->memory().Release(explorer->current(), &sync_);
        explorer->Trace(explorer->current(), "sets an event");
    }
    set_ = true;
}

void Event::Wait()
{
    explorer->BlockUntil([this] { return set_; });
    explorer->memory().Acquire(explorer->current(), sync_);
    explorer->Trace(explorer->current(), "takes an event");
    set_ = false;
}

void WaitUntil(std::function<bool()> ready)
{
    explorer->BlockUntil(std::move(ready));
}

void FailSchedule(const std::string &why)
{
    explorer->Fail(why);
}

ScheduleResult ForEachSchedule(const ScheduleOptions &options,
                               const std::function<void(Schedule &)> &body)
{
    const char *more = std::getenv("AIOX_SCHEDULE_MORE");
    ScheduleOptions larger = options;
    if (more) {
        larger.bound += std::atoi(more);
        larger.max_seconds += 3600 * std::atoi(more);
    }
    Explorer search(larger);
    CrashNote note;

    explorer = &search;
    ScheduleResult result = search.Search(body);
    explorer = nullptr;
    return result;
}

std::string NameOfMode(const ::testing::TestParamInfo<Mode> &mode)
{
    return kModeNames[static_cast<int>(mode.param)];
}

std::ostream &operator<<(std::ostream &out, const ScheduleResult &result)
{
    out << result.runs << " runs, " << result.steps << " steps, " << result.seconds << " s, "
        << (result.failure.empty() ? result.complete ? "complete" : "cut short" : "failed");
    if (!result.failure.empty()) {
        out << "\n"
            << result.failure << "\nAIOX_SCHEDULE_REPLAY='" << result.replay << "'\n"
            << result.trace;
    }
    return out;
}
} // namespace aiox_test

/* ---- the seam of aiox/atomic.h ---- */

using aiox_test::explorer;
using aiox_test::InThread;

uint64_t aiox_sched_load_(const void *where, unsigned size, int order)
{
    if (!InThread()) {
        return aiox_test::ReadDirectly(where, size);
    }
    explorer->Point();
    return explorer->memory().Load(explorer->current(), where, size, order);
}

void aiox_sched_store_(void *where, unsigned size, uint64_t value, int order)
{
    if (!InThread()) {
        aiox_test::WriteDirectly(where, size, value);
        return;
    }
    explorer->Point();
    explorer->memory().Store(explorer->current(), where, size, value, order);
}

uint64_t aiox_sched_rmw_(void *where, unsigned size, enum aiox_sched_op_ op, uint64_t value,
                         int order)
{
    aiox_test::Change change = aiox_test::ChangeOf(op);

    if (!InThread()) {
        uint64_t old = aiox_test::ReadDirectly(where, size);
        aiox_test::WriteDirectly(where, size, change(old, value));
        return old;
    }
    explorer->Point();
    return explorer->memory().Rmw(explorer->current(), where, size, change, value, order);
}

bool aiox_sched_cas_(void *where, unsigned size, uint64_t *expected, uint64_t desired, int order)
{
    if (!InThread()) {
        uint64_t old = aiox_test::ReadDirectly(where, size);
        bool done = old == *expected;
        if (done) {
            aiox_test::WriteDirectly(where, size, desired);
        }
        *expected = old;
        return done;
    }
    explorer->Point();
    return explorer->memory().Cas(explorer->current(), where, size, expected, desired, order);
}

void aiox_sched_plain_(const void *where, bool write, const char *what)
{
    if (InThread()) {
        explorer->memory().Plain(explorer->current(), where, write, what);
    }
}

void aiox_sched_futex_wait_(aiox_atomic_u32 *where, uint32_t value)
{
    if (InThread()) {
        explorer->FutexWait(where, value);
    }
}

void aiox_sched_futex_wake_(aiox_atomic_u32 *where, int how_many)
{
    if (InThread()) {
        explorer->FutexWake(where, how_many);
    }
}

void aiox_sched_relax_(void)
{
    if (InThread()) {
        explorer->Relax();
    }
}

void **aiox_sched_own_(void)
{
    static void *outside;

    return explorer ? explorer->Own() : &outside;
}

/* ---- the linker sends these here (--wrap) ---- */

void __wrap_free(void *p)
{
    if (p && InThread()) {
        explorer->FreeLater(p);
    } else {
        __real_free(p);
    }
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (!InThread()) {
        return __real_pthread_mutex_lock(mutex);
    }
    explorer->Lock(mutex);
    return 0;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (!InThread()) {
        return __real_pthread_mutex_trylock(mutex);
    }
    return explorer->TryLock(mutex) ? 0 : EBUSY;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (!InThread()) {
        return __real_pthread_mutex_unlock(mutex);
    }
    explorer->Unlock(mutex);
    return 0;
}

/* A number of its own for each thread of a run; only good for comparing. */
pthread_t __wrap_pthread_self(void)
{
    pthread_t self = __real_pthread_self();

    return InThread() ? self + 1 + static_cast<pthread_t>(explorer->current()) : self;
}
