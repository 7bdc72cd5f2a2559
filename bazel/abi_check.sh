#!/bin/sh
# SPDX-License-Identifier: MIT
# abi_check.sh SHARED SONAME SYMBOLS ARCHIVE: the symbols written down are the ones that the
# sources mark as public (ARCHIVE) and the ones that programs find (SHARED).
set -u
rc=0
soname=$(readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
if [ "$soname" != "$2" ]; then
    echo "SONAME is '$soname', not '$2'"
    rc=1
fi
readelf -sW "$4" |
    awk '$5 ~ /GLOBAL|WEAK/ && $6 == "DEFAULT" && $7 != "UND" { print $8 }' |
    grep -v '^__odr_asan' | LC_ALL=C sort -u >"$TEST_TMPDIR/public"
if ! diff -u "$3" "$TEST_TMPDIR/public"; then
    echo "The public symbols changed. If that is meant, write the new list to $3:"
    cat "$TEST_TMPDIR/public"
    rc=1
fi
nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    LC_ALL=C sort >"$TEST_TMPDIR/exported"
if ! diff -u "$3" "$TEST_TMPDIR/exported"; then
    echo "The shared library does not export the symbols of $3"
    rc=1
fi
if readelf -d "$1" | grep -E 'RPATH|RUNPATH'; then
    echo "a library for installation has a run path"
    rc=1
fi
exit $rc
