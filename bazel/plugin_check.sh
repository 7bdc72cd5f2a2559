#!/bin/sh
# SPDX-License-Identifier: MIT
# plugin_check.sh PLUGIN.so ENTRY STATIC.a STATIC_ENTRY: each form shows its one entry and
# neither knows a library of the tree.
set -u
rc=0
have=$(nm -D --defined-only "$1" | awk '$2 != "A" { print $3 }')
if [ "$have" != "$2" ]; then
    echo "exports '$have', not '$2' alone"
    rc=1
fi
have=$(readelf -sW "$3" |
    awk '$5 ~ /GLOBAL|WEAK/ && $6 == "DEFAULT" && $7 != "UND" { print $8 }' |
    grep -v '^__odr_asan')
if [ "$have" != "$4" ]; then
    echo "the static form shows '$have', not '$4' alone"
    rc=1
fi
if nm -D --undefined-only "$1" | grep ' aiox_'; then
    echo "expects the symbols above from its host"
    rc=1
fi
if readelf -d "$1" | grep -E 'NEEDED.*libaiox_|RPATH|RUNPATH'; then
    echo "is linked with a library of the tree, or has a run path"
    rc=1
fi
if ! readelf -d "$1" | grep -q BIND_NOW || ! readelf -lW "$1" | grep -q GNU_RELRO; then
    echo "is not linked with -z now -z relro"
    rc=1
fi
exit $rc
