/* SPDX-License-Identifier: MIT */
/* memory_model.cc - values by address, views by thread. */
#include "test/harness/memory_model.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace aiox_test
{
namespace
{
constexpr int kBufferDepth = 8;
/* A thread that keeps looking at a stale value gets to see a newer one in the end. */
constexpr int kStaleTimes = 3;
constexpr int kAnyVariable = -1;

bool IsAcquire(int order)
{
    return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
}

bool IsRelease(int order)
{
    return order >= __ATOMIC_RELEASE;
}

bool IsSeqCst(int order)
{
    return order == __ATOMIC_SEQ_CST;
}

const char *NameOfOrder(int order)
{
    static const char *const kNames[] = {"relaxed", "consume", "acquire",
                                         "release", "acq_rel", "seq_cst"};
    return kNames[order];
}

uint64_t ReadMemory(const void *where, unsigned size)
{
    uint32_t small;
    uint64_t large;

    if (size == sizeof(small)) {
        std::memcpy(&small, where, sizeof(small));
        return small;
    }
    std::memcpy(&large, where, sizeof(large));
    return large;
}

void WriteMemory(const void *where, unsigned size, uint64_t value)
{
    auto small = static_cast<uint32_t>(value);

    std::memcpy(const_cast<void *>(where),
                size == sizeof(small) ? static_cast<void *>(&small) : &value, size);
}

std::string Number(uint64_t value)
{
    char text[24];

    std::snprintf(text, sizeof(text), value > 0xffff ? "%#lx" : "%lu",
                  static_cast<unsigned long>(value));
    return text;
}
} // namespace

MemoryModel::MemoryModel(Director *director) : director_(director)
{
}

void MemoryModel::Reset(Mode mode, int threads, int old_values)
{
    mode_ = mode;
    threads_ = threads;
    old_values_left_ = old_values;
    run_++;
    used_ = 0;
    plain_.clear();
    freed_.clear();
    for (int t = 0; t < kMaxThreads; t++) {
        thread_[t].now = Sync();
        thread_[t].now.clock[t] = 1;
        thread_[t].buffer.clear();
    }
}

/* ---- finding ---- */

MemoryModel::Slot &MemoryModel::Find(Slots *slots, const void *where)
{
    size_t i = (reinterpret_cast<uintptr_t>(where) >> 2) * 0x9e3779b1u;

    for (;; i++) {
        Slot &slot = (*slots)[i % slots->size()];
        if (slot.run != run_ || slot.where == where) {
            return slot;
        }
    }
}

void MemoryModel::MakeVariable(int index, const void *where, unsigned size)
{
    Variable &v = variables_[index];

    v.where = where;
    v.size = size;
    v.values.assign(1, Value{ReadMemory(where, size), false, Sync()});
    v.order.assign(1, 0);
    v.place.assign(1, 0);
    v.newest_seq_cst = 0;
    v.last_access.fill(0);
    v.stale_times.fill(0);
}

/* Somebody has initialised what is there, with a plain store. */
bool MemoryModel::IsNewObject(const Variable &v) const
{
    return ReadMemory(v.where, v.size) != v.values[v.order.back()].value;
}

/* The index of the variable at @where, which @thread now uses. */
int MemoryModel::Use(int thread, const void *where, unsigned size)
{
    Slot &slot = Find(&variable_slots_, where);

    if (!freed_.empty()) {
        CheckAlive(thread, where, "atomic access");
    }
    if (slot.run != run_ || IsNewObject(variables_[slot.index])) {
        if (used_ == kMaxVariables) {
            director_->Fail("the test uses too many atomic variables");
        }
        slot = Slot{run_, where, used_};
        MakeVariable(used_++, where, size);
    }
    variables_[slot.index].last_access[thread] = thread_[thread].now.clock[thread];
    return slot.index;
}

MemoryModel::PlainObject &MemoryModel::UsePlain(const void *where)
{
    Slot &slot = Find(&plain_slots_, where);

    if (slot.run != run_) {
        if (plain_.size() == plain_slots_.size() / 2) {
            director_->Fail("the test uses too many plain objects");
        }
        slot = Slot{run_, where, static_cast<int>(plain_.size())};
        plain_.push_back(PlainObject{where, 0, 0, {}});
    }
    return plain_[slot.index];
}

std::string MemoryModel::Name(int index) const
{
    std::string name = director_->NameOf(variables_[index].where);

    return name.empty() ? "variable " + std::to_string(index) : name;
}

/* ---- views ---- */

void MemoryModel::Join(Sync *to, const Sync &from) const
{
    for (int t = 0; t < threads_; t++) {
        to->clock[t] = std::max(to->clock[t], from.clock[t]);
    }
    if (mode_ != Mode::kC11) {
        return;
    }
    for (int i = 0; i < used_; i++) {
        if (variables_[i].place[from.view[i]] > variables_[i].place[to->view[i]]) {
            to->view[i] = from.view[i];
        }
    }
}

/* What a store of @order publishes; what the thread does from now on is not in it. */
Sync MemoryModel::Released(int thread, int order)
{
    if (!IsRelease(order)) {
        return Sync();
    }
    Sync sync = thread_[thread].now;
    thread_[thread].now.clock[thread]++;
    return sync;
}

void MemoryModel::Release(int thread, Sync *to)
{
    Drain(thread, kAnyVariable);
    Join(to, Released(thread, __ATOMIC_RELEASE));
}

void MemoryModel::Acquire(int thread, const Sync &from)
{
    Join(&thread_[thread].now, from);
}

/* ---- kC11: choosing ---- */

/* 0 is the newest. */
int MemoryModel::ChooseOld(int options)
{
    if (options == 1 || old_values_left_ == 0) {
        return 0;
    }
    int chosen = director_->Choose(options);
    old_values_left_ -= chosen != 0;
    return chosen;
}

/* The place in modification order of the oldest value that @thread may see. */
int MemoryModel::Oldest(const Variable &v, int index, int thread, int order) const
{
    int id = thread_[thread].now.view[index];
    int newest = static_cast<int>(v.order.size()) - 1;
    int oldest = mode_ == Mode::kC11 ? v.place[id] : newest;

    if (v.stale_times[thread] >= kStaleTimes && v.stale_value[thread] == id) {
        oldest = std::min(oldest + 1, newest);
    }
    return IsSeqCst(order) ? std::max<int>(oldest, v.place[v.newest_seq_cst]) : oldest;
}

bool MemoryModel::HasSuccessor(const Variable &v, int place) const
{
    return place + 1 < static_cast<int>(v.order.size()) && v.values[v.order[place + 1]].of_rmw;
}

/*
 * Where a read-modify-write reads. With @may_fail it is a compare-and-swap: one
 * that does not find @expected is a mere load.
 */
int MemoryModel::PickRead(int thread, int index, int order, bool may_fail, uint64_t expected)
{
    const Variable &v = variables_[index];
    std::array<uint16_t, 64> places;
    int options = 0;

    for (int p = static_cast<int>(v.order.size()) - 1; p >= Oldest(v, index, thread, order); p--) {
        bool writes = !may_fail || v.values[v.order[p]].value == expected;
        if (!(writes && HasSuccessor(v, p)) && options < static_cast<int>(places.size())) {
            places[options++] = static_cast<uint16_t>(p);
        }
    }
    return places[ChooseOld(options)];
}

/* Where in modification order a store may go that is behind @oldest. */
int MemoryModel::PickPlace(const Variable &v, int oldest)
{
    int end = static_cast<int>(v.order.size());
    std::array<uint16_t, 64> places;
    int options = 0;

    for (int p = end; p > oldest; p--) {
        if ((p == end || !v.values[v.order[p]].of_rmw) &&
            options < static_cast<int>(places.size())) {
            places[options++] = static_cast<uint16_t>(p);
        }
    }
    return places[ChooseOld(options)];
}

uint64_t MemoryModel::See(int thread, int index, int place, int order)
{
    Variable &v = variables_[index];
    uint16_t id = v.order[place];
    bool stale = place + 1 < static_cast<int>(v.order.size());

    v.stale_times[thread] = !stale                        ? 0
                            : id == v.stale_value[thread] ? v.stale_times[thread] + 1
                                                          : 1;
    v.stale_value[thread] = id;
    thread_[thread].now.view[index] = id;
    if (IsAcquire(order)) {
        Join(&thread_[thread].now, v.values[id].sync);
    }
    return v.values[id].value;
}

/* ---- writing ---- */

/* kC11: a new value at @place. */
void MemoryModel::Insert(int thread, int index, int place, uint64_t value, int order, bool of_rmw)
{
    Variable &v = variables_[index];
    auto id = static_cast<uint16_t>(v.values.size());
    Sync sync = of_rmw ? v.values[v.order[place - 1]].sync : Sync();

    v.values.push_back(Value{value, of_rmw, Sync()});
    v.order.insert(v.order.begin() + place, id);
    v.place.push_back(0);
    for (size_t p = place; p < v.order.size(); p++) {
        v.place[v.order[p]] = static_cast<uint16_t>(p);
    }
    thread_[thread].now.view[index] = id;
    if (IsRelease(order)) {
        Join(&sync, Released(thread, order));
    }
    v.values[id].sync = sync;
    if (IsSeqCst(order)) {
        v.newest_seq_cst = id;
    }
    if (place + 1 == static_cast<int>(v.order.size())) {
        WriteMemory(v.where, v.size, value);
    }
}

/* The other modes: there is one value. */
void MemoryModel::StoreNow(int index, uint64_t value, const Sync &sync)
{
    Variable &v = variables_[index];

    v.values[0] = Value{value, false, sync};
    WriteMemory(v.where, v.size, value);
    changes_++;
}

void MemoryModel::Write(int thread, int index, int place, uint64_t value, int order, bool of_rmw)
{
    changes_++;
    if (mode_ == Mode::kC11) {
        Insert(thread, index, place, value, order, of_rmw);
        return;
    }
    Sync sync = of_rmw ? variables_[index].values[0].sync : Sync();
    Join(&sync, Released(thread, order));
    StoreNow(index, value, sync);
}

/* ---- kPso: buffers ---- */

/* In order on one variable; a release after everything before it. */
bool MemoryModel::MayCommit(const Thread &t, int which) const
{
    const Buffered &one = t.buffer[which];

    return std::none_of(t.buffer.begin(), t.buffer.begin() + which, [&](const Buffered &earlier) {
        return earlier.variable == one.variable || IsRelease(one.order);
    });
}

int MemoryModel::Committable(int thread) const
{
    const Thread &t = thread_[thread];
    int count = 0;

    for (int i = 0; i < static_cast<int>(t.buffer.size()); i++) {
        count += MayCommit(t, i);
    }
    return count;
}

void MemoryModel::Commit(int thread, int which)
{
    Thread &t = thread_[thread];
    int i = 0;

    while (!MayCommit(t, i) || which-- > 0) {
        i++;
    }
    Buffered one = t.buffer[i];
    t.buffer.erase(t.buffer.begin() + i);
    if (director_->Tracing()) {
        director_->Trace(thread,
                         "  ... its " + Number(one.value) + " arrives in " + Name(one.variable));
    }
    StoreNow(one.variable, one.value, one.sync);
}

/* Commits what stands before the last store to @variable, and that. */
void MemoryModel::Drain(int thread, int variable)
{
    Thread &t = thread_[thread];

    while (std::any_of(t.buffer.begin(), t.buffer.end(), [&](const Buffered &b) {
        return variable == kAnyVariable || b.variable == variable;
    })) {
        Commit(thread, 0);
    }
}

void MemoryModel::Flush(int thread)
{
    Drain(thread, kAnyVariable);
}

/* ---- the operations ---- */

uint64_t MemoryModel::Load(int thread, const void *where, unsigned size, int order)
{
    int index = Use(thread, where, size);
    Variable &v = variables_[index];
    const auto &buffer = thread_[thread].buffer;
    auto own = std::find_if(buffer.rbegin(), buffer.rend(),
                            [&](const Buffered &b) { return b.variable == index; });
    int newest = static_cast<int>(v.order.size()) - 1;

    if (own != buffer.rend()) {
        return own->value;
    }
    int back = ChooseOld(newest - Oldest(v, index, thread, order) + 1);
    uint64_t value = See(thread, index, newest - back, order);
    if (director_->Tracing()) {
        director_->Trace(thread, Name(index) + " load " + NameOfOrder(order) + ": " +
                                     Number(value) +
                                     (back ? ", which is " + std::to_string(back) + " old" : ""));
    }
    return value;
}

void MemoryModel::Store(int thread, void *where, unsigned size, uint64_t value, int order)
{
    int index = Use(thread, where, size);
    Variable &v = variables_[index];
    auto &buffer = thread_[thread].buffer;

    if (director_->Tracing()) {
        director_->Trace(thread,
                         Name(index) + " store " + NameOfOrder(order) + ": " + Number(value));
    }
    if (mode_ == Mode::kPso) {
        if (buffer.size() == kBufferDepth) {
            Commit(thread, 0);
        }
        buffer.push_back(Buffered{index, value, order, Released(thread, order)});
        if (IsSeqCst(order)) {
            Drain(thread, kAnyVariable);
        }
        return;
    }
    int place = mode_ == Mode::kC11 ? PickPlace(v, Oldest(v, index, thread, order)) : 0;
    Write(thread, index, place, value, order, false);
}

/* What has to be in memory before a read-modify-write is. */
int MemoryModel::PrepareRmw(int thread, const void *where, unsigned size, int order)
{
    int index = Use(thread, where, size);

    if (mode_ == Mode::kPso) {
        Drain(thread, IsRelease(order) ? kAnyVariable : index);
    }
    return index;
}

uint64_t MemoryModel::Rmw(int thread, void *where, unsigned size,
                          uint64_t (*change)(uint64_t, uint64_t), uint64_t operand, int order)
{
    int index = PrepareRmw(thread, where, size, order);
    int place = PickRead(thread, index, order, false, 0);
    uint64_t old = See(thread, index, place, order);
    uint64_t value = change(old, operand);

    if (size == sizeof(uint32_t)) {
        value = static_cast<uint32_t>(value);
    }
    if (director_->Tracing()) {
        director_->Trace(thread, Name(index) + " rmw " + NameOfOrder(order) + ": " + Number(old) +
                                     " -> " + Number(value));
    }
    Write(thread, index, place + 1, value, order, true);
    return old;
}

bool MemoryModel::Cas(int thread, void *where, unsigned size, uint64_t *expected, uint64_t desired,
                      int order)
{
    int index = PrepareRmw(thread, where, size, order);
    int place = PickRead(thread, index, order, true, *expected);
    uint64_t old = See(thread, index, place, order);
    bool done = old == *expected;

    if (director_->Tracing()) {
        director_->Trace(thread,
                         Name(index) + " cas " + NameOfOrder(order) + ": " + Number(old) +
                             (done ? " -> " + Number(desired) : ", not " + Number(*expected)));
    }
    *expected = old;
    if (done) {
        Write(thread, index, place + 1, desired, order, true);
    }
    return done;
}

uint64_t MemoryModel::Newest(int thread, const void *where, unsigned size)
{
    int index = Use(thread, where, size);

    Drain(thread, kAnyVariable);
    return See(thread, index, static_cast<int>(variables_[index].order.size()) - 1,
               __ATOMIC_RELAXED);
}

/* ---- plain data and freed memory ---- */

void MemoryModel::CheckRace(int thread, int other, uint32_t clock, const char *what)
{
    if (clock > thread_[thread].now.clock[other]) {
        director_->Fail(std::string("race: ") + what + " by '" + director_->NameOfThread(thread) +
                        "' is not ordered after what '" + director_->NameOfThread(other) +
                        "' does there");
    }
}

void MemoryModel::CheckAlive(int thread, const void *where, const char *what)
{
    auto address = reinterpret_cast<uintptr_t>(where);

    for (const Range &range : freed_) {
        if (address >= range.begin && address < range.end) {
            director_->Fail(std::string("use after free: ") + what + " by '" +
                            director_->NameOfThread(thread) + "' of what '" +
                            director_->NameOfThread(range.thread) + "' freed");
        }
    }
}

void MemoryModel::Plain(int thread, const void *where, bool write, const char *what)
{
    CheckAlive(thread, where, what);
    PlainObject &object = UsePlain(where);
    uint32_t now = thread_[thread].now.clock[thread];

    if (director_->Tracing()) {
        director_->Trace(thread, what);
    }
    CheckRace(thread, object.writer, object.written, what);
    if (!write) {
        object.read[thread] = now;
        return;
    }
    for (int t = 0; t < threads_; t++) {
        CheckRace(thread, t, object.read[t], what);
    }
    object.writer = thread;
    object.written = now;
}

void MemoryModel::CheckOver(int thread, const std::array<uint32_t, kMaxThreads> &accesses)
{
    for (int t = 0; t < threads_; t++) {
        if (t != thread) {
            CheckRace(thread, t, accesses[t], "free");
        }
    }
}

void MemoryModel::Free(int thread, const void *begin, size_t bytes)
{
    auto first = static_cast<const char *>(begin);
    auto inside = [&](const void *where) { return where >= first && where < first + bytes; };

    for (int i = 0; i < used_; i++) {
        if (inside(variables_[i].where)) {
            CheckOver(thread, variables_[i].last_access);
        }
    }
    for (const PlainObject &object : plain_) {
        if (inside(object.where)) {
            CheckOver(thread, object.read);
            CheckRace(thread, object.writer, object.written, "free");
        }
    }
    freed_.push_back(Range{reinterpret_cast<uintptr_t>(first),
                           reinterpret_cast<uintptr_t>(first) + bytes, thread});
}
} // namespace aiox_test
