/* SPDX-License-Identifier: MIT */
/*
 * memory_model.h - what an atomic access may see, and which plain ones race.
 *
 * The newest value of a variable is in memory itself; what is older, and who
 * may still see it, is kept here by address and forgotten at each Reset().
 *
 * kSc    a load sees the newest store.
 * kPso   a store waits in its thread's buffer and reaches memory late and, on
 *        other variables, out of order; a release waits for all before it.
 * kC11   each variable has all its values in modification order. A thread has
 *        a view: per variable, the oldest value it may still see. A load takes
 *        any from there on; an acquire joins the view that the release had. A
 *        store goes anywhere behind the view; a read-modify-write right behind
 *        what it read. A seq_cst access sees, and goes behind, the last seq_cst
 *        store. Release sequences are those of C++20.
 *
 * Not produced: load buffering, values out of thin air, and the executions in
 * which the order of seq_cst accesses contradicts happens-before between
 * accesses of other orders (seen on Power alone).
 */
#ifndef AIOX_TEST_HARNESS_MEMORY_MODEL_H_
#define AIOX_TEST_HARNESS_MEMORY_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aiox_test
{
constexpr int kMaxThreads = 8;
constexpr int kMaxVariables = 64;

enum class Mode { kSc, kPso, kC11 };

/* Makes the decisions and takes the complaints. */
class Director
{
  public:
    virtual ~Director() = default;
    /* One of 0 to @options - 1, at least 1; 0 is the plainest. */
    virtual int Choose(int options) = 0;
    /* Ends the run; does not return. */
    virtual void Fail(const std::string &why) = 0;
    /* For the reader of a failed run. */
    virtual bool Tracing() const = 0;
    virtual void Trace(int thread, const std::string &what) = 0;
    virtual std::string NameOfThread(int thread) const = 0;
    /* Empty if it has none. */
    virtual std::string NameOf(const void *where) const = 0;
};

/* What a release hands to an acquire. */
struct Sync {
    std::array<uint32_t, kMaxThreads> clock{};
    std::array<uint16_t, kMaxVariables> view{};
};

class MemoryModel
{
  public:
    explicit MemoryModel(Director *director);

    /* kC11: a run sees, and puts a store before, at most @old_values that are not the newest. */
    void Reset(Mode mode, int threads, int old_values);

    uint64_t Load(int thread, const void *where, unsigned size, int order);
    void Store(int thread, void *where, unsigned size, uint64_t value, int order);
    uint64_t Rmw(int thread, void *where, unsigned size, uint64_t (*change)(uint64_t, uint64_t),
                 uint64_t operand, int order);
    bool Cas(int thread, void *where, unsigned size, uint64_t *expected, uint64_t desired,
             int order);

    /* A plain access of the object at @where. */
    void Plain(int thread, const void *where, bool write, const char *what);
    /* The memory goes; every access that is not known to be over is a fault, now or later. */
    void Free(int thread, const void *begin, size_t bytes);

    /* The newest value; what the thread sees next is not older. Its stores are out. */
    uint64_t Newest(int thread, const void *where, unsigned size);

    /* Hands over everything, as a lock of the system does. */
    void Release(int thread, Sync *to);
    void Acquire(int thread, const Sync &from);

    /* All its stores are out. */
    void Flush(int thread);

    /* kPso: the stores of @thread that may reach memory now, and one that does. */
    int Committable(int thread) const;
    void Commit(int thread, int which);

    /* Grows with each change of memory. */
    uint64_t Changes() const
    {
        return changes_;
    }

  private:
    struct Value {
        uint64_t value;
        bool of_rmw; /* stands right behind what it was made from */
        Sync sync;
    };
    struct Variable {
        const void *where;
        unsigned size;
        std::vector<Value> values;   /* in the order of execution */
        std::vector<uint16_t> order; /* modification order: indices into values */
        std::vector<uint16_t> place; /* of values in order */
        uint16_t newest_seq_cst;
        std::array<uint32_t, kMaxThreads> last_access;
        std::array<uint16_t, kMaxThreads> stale_value; /* seen again and again */
        std::array<uint8_t, kMaxThreads> stale_times;
    };
    struct PlainObject {
        const void *where;
        int writer;
        uint32_t written;
        std::array<uint32_t, kMaxThreads> read;
    };
    struct Buffered {
        int variable;
        uint64_t value;
        int order;
        Sync sync;
    };
    struct Thread {
        Sync now;
        std::vector<Buffered> buffer;
    };
    struct Range {
        uintptr_t begin, end;
        int thread;
    };
    struct Slot {
        uint64_t run;
        const void *where;
        int index;
    };

    using Slots = std::array<Slot, 1024>;

    Slot &Find(Slots *slots, const void *where);
    int Use(int thread, const void *where, unsigned size);
    bool IsNewObject(const Variable &v) const;
    void MakeVariable(int index, const void *where, unsigned size);
    PlainObject &UsePlain(const void *where);
    int Oldest(const Variable &v, int index, int thread, int order) const;
    bool HasSuccessor(const Variable &v, int place) const;
    int PickRead(int thread, int index, int order, bool may_fail, uint64_t expected);
    int PickPlace(const Variable &v, int oldest);
    int ChooseOld(int options);
    uint64_t See(int thread, int index, int place, int order);
    void Insert(int thread, int index, int place, uint64_t value, int order, bool of_rmw);
    void StoreNow(int index, uint64_t value, const Sync &sync);
    void Write(int thread, int index, int place, uint64_t value, int order, bool of_rmw);
    bool MayCommit(const Thread &t, int which) const;
    void Drain(int thread, int variable);
    int PrepareRmw(int thread, const void *where, unsigned size, int order);
    Sync Released(int thread, int order);
    void Join(Sync *to, const Sync &from) const;
    void CheckAlive(int thread, const void *where, const char *what);
    void CheckOver(int thread, const std::array<uint32_t, kMaxThreads> &accesses);
    void CheckRace(int thread, int other, uint32_t clock, const char *what);
    std::string Name(int index) const;

    Director *director_;
    Mode mode_ = Mode::kSc;
    int threads_ = 0;
    int old_values_left_ = 0;
    uint64_t run_ = 0;
    uint64_t changes_ = 0;
    int used_ = 0;
    std::array<Variable, kMaxVariables> variables_;
    std::vector<PlainObject> plain_;
    std::array<Thread, kMaxThreads> thread_;
    std::vector<Range> freed_;
    Slots variable_slots_{};
    Slots plain_slots_{};
};
} // namespace aiox_test

#endif // AIOX_TEST_HARNESS_MEMORY_MODEL_H_
