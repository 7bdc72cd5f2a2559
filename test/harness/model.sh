#!/bin/sh
# SPDX-License-Identifier: MIT
# model.sh MODEL: verifies a Promela model, then wants every mistake in it found.
# The model says how it is built: lines " * sound  -D..." and " * broken -D...".
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

# cases KIND: the defines of each, a line a case.
cases() {
    sed -n "s/^ \* $1  *\(-D.*\)/\1/p" "$model"
}

cases sound >sound
cases broken >broken
[ -s sound ] && [ -s broken ] || { echo "$1: no cases"; exit 1; }
while read -r defines; do
    # shellcheck disable=SC2086
    errors=$(verify -O2 $defines)
    echo "$defines: $errors errors, $(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' out) states"
    [ "$errors" = 0 ] || rc=1
done <sound
while read -r defines; do
    # shellcheck disable=SC2086
    errors=$(verify -O0 $defines) # found soon: compiling is the longer part
    echo "$defines: $errors"
    [ "$errors" = 1 ] || rc=1
done <broken
exit $rc
