/* SPDX-License-Identifier: MIT */
/*
 * mutex.pml - the two words of src/mutex.c, with the names of the code.
 *
 * PATIENT coroutines lock the mutex and give it back, HASTY ones may leave at
 * any moment of their wait. Both words are changed by read-modify-writes alone;
 * a loop around a compare-and-swap is one step here. The orders are tried by the
 * explorer.
 *
 * Checked: one holder at a time; who waits is woken once, and nobody waits for
 * ever; a record is not touched when its frame has gone; in the end the mutex is
 * free, nobody is on duty and nobody stands in the line.
 *
 * Each comes TIMES times. What test/harness/model.sh verifies, and the mistakes that it must find:
 *
 * sound  -DPATIENT=2 -DHASTY=1
 * sound  -DPATIENT=3 -DHASTY=0
 * sound  -DPATIENT=1 -DHASTY=2
 * sound  -DPATIENT=1 -DHASTY=1 -DTIMES=2
 * broken -DPATIENT=2 -DHASTY=1 -DM_LINE_IS_NOT_ANNOUNCED
 * broken -DPATIENT=2 -DHASTY=1 -DM_HANDS_TO_WHO_LEAVES
 * broken -DPATIENT=2 -DHASTY=1 -DM_TIDIES_A_FULL_LINE
 * broken -DPATIENT=2 -DHASTY=1 -DM_OFF_DUTY_WITH_WISHES
 * broken -DPATIENT=2 -DHASTY=1 -DM_KEEPS_WHAT_NOBODY_WANTS
 * broken -DPATIENT=2 -DHASTY=1 -DM_LETS_GO_OR_FORGETS
 * broken -DPATIENT=2 -DHASTY=1 -DM_LEAVES_WITHOUT_A_WISH
 */
#ifndef PATIENT
#define PATIENT 2
#endif
#ifndef HASTY
#define HASTY 1
#endif
#ifndef TIMES
#define TIMES 1
#endif
#define ALL (PATIENT + HASTY)

#define FREE 0
#define HELD 1
#define QUEUED 2
#define RECORD(i) ((i) + 3) /* the word of a record, and whose it is */
#define OWNER(w) ((w) - 3)

#define OUT 0 /* of a wait: the record is not there */
#define WAITING 1
#define CHOSEN 2
#define LEAVING 3

byte word, below[ALL], state[ALL], inside, ended;
bool awake[ALL];
bool on_duty, hand_over, leaver[ALL]; /* duty_: a bit, a wish, and the list */
byte leavers;
chan line = [ALL] of { byte };        /* waiting_ */

inline wish(is_leaver)
{
    atomic {
        first = !on_duty;
        on_duty = 1;
        if
        :: is_leaver -> leaver[me] = 1; leavers++
        :: else -> hand_over = 1
        fi
    }
}

inline begin_round()
{
    d_step {
        holds = holds || hand_over;
        hand_over = 0;
        leavers = 0;
        i = 0;
        do
        :: i < ALL -> wants_out[i] = leaver[i]; leaver[i] = 0; i++
        :: else -> break
        od
    }
}

/* The swap; then the chain, which is this one's alone, is turned round. */
inline take_newcomers()
{
    if
    :: word <= QUEUED
    :: else ->
        d_step {
            w = word;
#ifdef M_LINE_IS_NOT_ANNOUNCED
            word = HELD;
#else
            word = QUEUED;
#endif
        }
        d_step {
            i = 0;
            do
            :: w > QUEUED ->
                assert(state[OWNER(w)] != OUT);
                came[i] = OWNER(w);
                i++;
                w = below[OWNER(w)]
            :: else -> break
            od;
            do
            :: i > 0 -> i--; line!came[i]
            :: else -> break
            od
        }
    fi
}

inline let_leave()
{
    d_step {
        i = 0;
        do
        :: i < ALL && wants_out[i] ->
            assert(state[i] == LEAVING);
            if
            :: line??[eval(i)] -> line??eval(i)
            :: else
            fi;
            wants_out[i] = 0;
            to_wake[i] = 1;
            i++
        :: i < ALL && !wants_out[i] -> i++
        :: else -> break
        od
    }
}

inline choose()
{
    do
    :: atomic { nempty(line) ->
        line?i;
        assert(state[i] != OUT);
        if
#ifdef M_HANDS_TO_WHO_LEAVES
        :: true -> state[i] = CHOSEN; to_wake[i] = 1; holds = 0; break
#else
        :: state[i] == WAITING -> state[i] = CHOSEN; to_wake[i] = 1; holds = 0; break
        :: else
#endif
        fi }
    :: empty(line) -> break
    od
}

inline wake_all()
{
    i = 0;
    do
    :: i < ALL && to_wake[i] ->
        atomic { to_wake[i] = 0; assert(!awake[i]); awake[i] = 1; i++ }
    :: i < ALL && !to_wake[i] -> i++
    :: else -> break
    od
}

inline serve()
{
    do
    :: begin_round();
        take_newcomers();
        let_leave();
        if
        :: holds -> choose()
        :: else
        fi;
#ifdef M_TIDIES_A_FULL_LINE
        atomic { if :: word == QUEUED -> word = HELD :: else fi };
#else
        if
        :: empty(line) -> atomic { if :: word == QUEUED -> word = HELD :: else fi }
        :: else
        fi;
#endif
        atomic { /* go_off_duty */
            if
#ifdef M_OFF_DUTY_WITH_WISHES
            :: true -> on_duty = 0; break
#else
            :: !hand_over && leavers == 0 -> on_duty = 0; break
            :: else
#endif
            fi
        }
    od
}

inline fulfil(leaves)
{
    holds = 0;
    is_first_wish = 1;
    do
    :: wish(leaves && is_first_wish);
        if
        :: !first -> break
        :: else
        fi;
        serve();
        if
#ifdef M_KEEPS_WHAT_NOBODY_WANTS
        :: true -> break
#else
        :: !holds -> break
        :: else -> atomic { /* let_go */
            if
            :: word == HELD -> word = FREE; holds = 0; break
            :: else
#ifdef M_LETS_GO_OR_FORGETS
                -> break
#endif
            fi }
#endif
        fi;
        holds = 0;
        is_first_wish = 0
    od;
    holds = 0;
    wake_all()
}

inline lock(may_leave)
{
    atomic { /* try_take, or push_or_take */
        if
        :: word == FREE -> word = HELD; got = 1
        :: else -> below[me] = word; state[me] = WAITING; word = RECORD(me); got = 0
        fi
    };
    struck = 0;
    do
    :: got -> break
    :: atomic { !got && awake[me] -> awake[me] = 0;
            got = state[me] == CHOSEN;
            assert(state[me] != WAITING);
            state[me] = OUT; /* the frame goes */
            break }
    :: !got && !awake[me] && may_leave && !struck ->
        struck = 1;
        atomic {
            if
            :: state[me] == WAITING -> state[me] = LEAVING; goes = 1
            :: else -> goes = 0
            fi
        };
        if
        :: goes ->
#ifdef M_LEAVES_WITHOUT_A_WISH
            awake[me] = 1
#else
            fulfil(1)
#endif
        :: else
        fi
    od
}

inline unlock()
{
    atomic {
        if
        :: word == HELD -> word = FREE; goes = 0
        :: else -> goes = 1
        fi
    };
    if
    :: goes -> fulfil(0)
    :: else
    fi
}

proctype coroutine(byte me; bool may_leave)
{
    byte i, w, came[ALL], left = TIMES;
    bool got, struck, goes, holds, first, is_first_wish, to_wake[ALL], wants_out[ALL];

    do
    :: left > 0 ->
        lock(may_leave);
        if
        :: got ->
            inside++;
            assert(inside == 1);
            inside--;
            unlock()
        :: else
        fi;
        left--
    :: else -> break
    od;
    atomic {
        ended++;
        if
        :: ended == ALL -> assert(word == FREE && !on_duty && empty(line))
        :: else
        fi
    }
}

init
{
    byte n;

    atomic {
        do
        :: n < ALL -> run coroutine(n, n >= PATIENT); n++
        :: else -> break
        od
    }
}
