#!/bin/sh
# SPDX-License-Identifier: MIT
# liburing_test.sh LIBRARIES FILE...: of all that is shipped, fdmon_io_uring.so alone needs
# liburing. FILE is an archive or a program; at least LIBRARIES shared objects are among them.
set -eu
least=$1
shift
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/liburing.XXXXXX")
trap 'rm -rf "$dir"' EXIT
for file; do
    case $file in
    *.tar.gz) tar -xzf "$file" -C "$dir" ;;
    *) cp -L "$file" "$dir" ;;
    esac
done

uses_liburing() {
    readelf -dW "$1" 2>/dev/null | grep -q 'NEEDED.*\[liburing' ||
        { nm "$1" 2>/dev/null && nm -D "$1" 2>/dev/null; } | grep -q ' U io_uring_'
}

users=$(find "$dir" -type f | while read -r file; do
    if uses_liburing "$file"; then
        basename "$file"
    fi
done)
if [ "$users" != fdmon_io_uring.so ]; then
    echo "liburing is used by '$users', not by fdmon_io_uring.so alone"
    exit 1
fi
seen=$(find "$dir" -type f -name '*.so*' | wc -l)
if [ "$seen" -lt "$least" ]; then
    echo "only $seen shared objects were looked at"
    exit 1
fi
