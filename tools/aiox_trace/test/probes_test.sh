#!/bin/bash
# SPDX-License-Identifier: MIT
# probes_test.sh BOOK ARCHIVE...: the shared libraries that are shipped carry the probes
# that the book lists, and no others.
set -euo pipefail
book=$1
shift
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/probes.XXXXXX")
trap 'rm -rf "$dir"' EXIT
if ! echo '#include <sys/sdt.h>' | cc -E - >/dev/null 2>&1; then
    echo "no <sys/sdt.h> here: no probes to look for"
    exit 0
fi
for archive; do
    tar -xzf "$archive" -C "$dir"
done

sed -n 's/^| `\([a-z_]*\)` | `\([a-z_]*\)` |.*/\1 \2/p' "$book" | sort >"$dir/listed"
find "$dir" -type f -name 'libaiox_*.so*' | while read -r library; do
    room=$(basename "$library" | sed 's/^libaiox_\(.*\)\.so.*/\1/')
    readelf -n "$library" | awk -v room="aiox_$room" '
        /Provider:/ && $2 != room { print FILENAME, "has a probe of", $2; exit }
        /Provider:/ { provider = substr($2, 6) }
        /Name:/ && provider { print provider, $2; provider = "" }'
done | sort -u >"$dir/carried"
diff -u "$dir/listed" "$dir/carried"
