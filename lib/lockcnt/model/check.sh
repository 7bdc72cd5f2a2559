#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh MODEL: verifies the model, then wants every mistake in it found.
set -u
model=$PWD/$1
rc=0
if ! command -v spin >/dev/null; then
    echo "skipped: spin is not installed (Debian: apt-get install spin)"
    exit 0
fi
cd "$TEST_TMPDIR" || exit 1

# verify -O<n> DEFINES...: the number of errors, or why there is none.
verify() {
    optimize=$1
    shift
    spin -a "$@" "$model" >log 2>&1 &&
        gcc "$optimize" -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -w -o pan pan.c 2>>log || { cat log; return; }
    ./pan -m1000000 >out 2>&1
    if grep -q 'not completed' out && ! grep -q 'errors: [1-9]' out; then
        echo incomplete
    else
        sed -n 's/.*errors: \([0-9]*\).*/\1/p' out
    fi
}

sound() {
    errors=$(verify -O2 "$@")
    echo "$*: $errors errors, $(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' out) states"
    [ "$errors" = 0 ] || rc=1
}

broken() {
    errors=$(verify -O0 "$@") # found soon: compiling is the longer part
    echo "$*: $errors"
    [ "$errors" = 1 ] || rc=1
}

sound -DVISITORS=2 -DLOCKERS=1
sound -DVISITORS=1 -DLOCKERS=1 -DLOOPS=1
for mistake in VISIT_BEGINS_UNDER_THE_LOCK OWNER_FORGETS_WHO_SLEEPS INC_KEEPS_THE_WAKE \
    DEC_AND_LOCK_KEEPS_THE_WAKE UNLOCK_WAKES_NOBODY DELETED_AT_ONCE; do
    broken -DVISITORS=2 -DLOCKERS=1 -DM_$mistake
done
broken -DVISITORS=1 -DLOCKERS=1 -DLOOPS=1 -DM_DEC_IF_LOCK_KEEPS_THE_WAKE
exit $rc
