/* SPDX-License-Identifier: MIT */
/*
 * lockcnt.pml - the word of src/lockcnt.c, with the names of the code.
 *
 * Visitors, a deleter, lockers and a loop use one node. The word is changed by
 * read-modify-writes alone, which are sequentially consistent among themselves,
 * so this model needs no store buffers; the orders are tried by the explorer.
 *
 * Checked: one owner at a time; no visitor sees a freed node; the node is freed
 * once and is gone in the end; nobody sleeps for ever; dec_and_lock and
 * dec_if_lock give the lock only with a count of 0.
 *
 * What test/harness/model.sh verifies, and the mistakes that it must find:
 *
 * sound  -DVISITORS=2 -DLOCKERS=1
 * sound  -DVISITORS=1 -DLOCKERS=1 -DLOOPS=1
 * broken -DVISITORS=2 -DLOCKERS=1 -DM_VISIT_BEGINS_UNDER_THE_LOCK
 * broken -DVISITORS=2 -DLOCKERS=1 -DM_OWNER_FORGETS_WHO_SLEEPS
 * broken -DVISITORS=2 -DLOCKERS=1 -DM_INC_KEEPS_THE_WAKE
 * broken -DVISITORS=2 -DLOCKERS=1 -DM_DEC_AND_LOCK_KEEPS_THE_WAKE
 * broken -DVISITORS=2 -DLOCKERS=1 -DM_UNLOCK_WAKES_NOBODY
 * broken -DVISITORS=2 -DLOCKERS=1 -DM_DELETED_AT_ONCE
 * broken -DVISITORS=1 -DLOCKERS=1 -DLOOPS=1 -DM_DEC_IF_LOCK_KEEPS_THE_WAKE
 */
#define FREE 0
#define HELD 1
#define WAITED 2
#define VISIT 4
#define LOCK(w) ((w) & 3)
#define VISITS(w) ((w) >> 2)
#ifndef VISITORS
#define VISITORS 2
#endif
#ifndef LOCKERS
#define LOCKERS 1
#endif
#ifndef LOOPS
#define LOOPS 0
#endif
#define ALL (VISITORS + LOCKERS + LOOPS + 1)

short lc_word;
byte sleepers, wakes; /* asleep; told to get up */
byte owners, ended;
bool linked = 1, deleted, freed;

inline wake()
{
    atomic { if :: sleepers > 0 -> sleepers--; wakes++ :: else fi }
}

/* May return for no reason: a wake that was another's is as good as none. */
inline wait_on()
{
    atomic { if :: lc_word == word -> sleepers++ :: else -> awake = 1 fi };
    if
    :: awake -> awake = 0
    :: else -> atomic { wakes > 0 -> wakes-- }
    fi
}

inline change_to(new)
{
    atomic { if :: lc_word == word -> lc_word = new; done = 1 :: else -> done = 0; word = lc_word fi }
}

/* One step; the callers look at word again unless done. */
inline change_to_or_wait(new)
{
    if
    :: LOCK(word) == FREE -> change_to(new)
    :: LOCK(word) == HELD ->
        change_to(word - HELD + WAITED);
        if :: done -> word = word - HELD + WAITED; done = 0 :: else fi
    :: LOCK(word) == WAITED ->
        done = 0;
        has_slept = 1;
        wait_on();
        word = lc_word
    fi
}

#ifdef M_OWNER_FORGETS_WHO_SLEEPS
#define HELD_BY_ME HELD
#else
#define HELD_BY_ME (has_slept -> WAITED : HELD)
#endif

inline leave()
{
    if :: has_slept -> wake() :: else fi
}

inline inc()
{
    has_slept = 0; word = lc_word;
    do
#ifdef M_VISIT_BEGINS_UNDER_THE_LOCK
    :: change_to(word + VISIT); if :: done -> break :: else fi
#else
    :: VISITS(word) > 0 -> change_to(word + VISIT); if :: done -> break :: else fi
    :: VISITS(word) == 0 -> change_to_or_wait(VISIT); if :: done -> break :: else fi
#endif
    od;
#ifndef M_INC_KEEPS_THE_WAKE
    leave()
#endif
}

inline dec()
{
    atomic { assert(VISITS(lc_word) > 0); lc_word = lc_word - VISIT }
}

inline dec_and_lock()
{
    has_slept = 0; locked = 0; word = lc_word;
    do
    :: VISITS(word) > 1 -> change_to(word - VISIT); if :: done -> break :: else fi
    :: VISITS(word) == 1 -> change_to_or_wait(HELD_BY_ME); if :: done -> locked = 1; break :: else fi
    od;
#ifndef M_DEC_AND_LOCK_KEEPS_THE_WAKE
    if :: !locked -> leave() :: else fi
#endif
}

inline dec_if_lock()
{
    has_slept = 0; locked = 0; word = lc_word;
    do
    :: VISITS(word) > 1 -> break
    :: VISITS(word) == 1 -> change_to_or_wait(HELD_BY_ME); if :: done -> locked = 1; break :: else fi
    od;
#ifndef M_DEC_IF_LOCK_KEEPS_THE_WAKE
    if :: !locked -> leave() :: else fi
#endif
}

inline lock()
{
    has_slept = 0; word = lc_word;
    do
    :: change_to_or_wait(word + HELD_BY_ME); if :: done -> break :: else fi
    od
}

inline unlock(more)
{
    atomic { word = lc_word; lc_word = VISITS(word) * VISIT + more };
    assert(LOCK(word) != FREE);
#ifndef M_UNLOCK_WAKES_NOBODY
    if :: LOCK(word) == WAITED -> wake() :: else fi
#endif
}

inline own()
{
    owners++;
    assert(owners == 1)
}

inline reap()
{
    own();
    assert(VISITS(lc_word) == 0);
    if :: deleted && linked -> linked = 0; assert(!freed); freed = 1 :: else fi;
    owners--
}

inline look()
{
    sees = linked;
    if :: sees -> assert(!freed); assert(!freed) :: else fi
}

proctype visitor()
{
    short word; bool done, has_slept, awake, locked, sees;
    inc();
    look();
    dec_and_lock();
    if :: locked -> reap(); unlock(0) :: else fi;
    ended++
}

proctype loop()
{
    short word; bool done, has_slept, awake, locked, sees;
    inc();
    look();
    dec_if_lock();
    if :: locked -> reap(); unlock(VISIT) :: else fi;
    look();
    dec_and_lock(); /* a bare dec would leave the node to nobody */
    if :: locked -> reap(); unlock(0) :: else fi;
    ended++
}

proctype deleter()
{
    short word; bool done, has_slept, awake;
    lock();
    own();
    if
    :: VISITS(lc_word) == 0 -> linked = 0; assert(!freed); freed = 1
#ifdef M_DELETED_AT_ONCE
    :: VISITS(lc_word) > 0 -> linked = 0; freed = 1
#else
    :: VISITS(lc_word) > 0 -> deleted = 1
#endif
    fi;
    owners--;
    unlock(0);
    ended++
}

proctype locker()
{
    short word; bool done, has_slept, awake;
    lock();
    own();
    owners--;
    unlock(0);
    ended++
}

active proctype watchdog()
{
    timeout -> assert(ended == ALL && lc_word == 0 && sleepers == 0 && freed)
}

init
{
    atomic {
        byte i = 0;
        run deleter();
        do :: i < VISITORS -> run visitor(); i++ :: else -> break od;
        i = 0;
        do :: i < LOCKERS -> run locker(); i++ :: else -> break od;
        i = 0;
        do :: i < LOOPS -> run loop(); i++ :: else -> break od
    }
}
