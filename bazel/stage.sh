#!/bin/sh
# SPDX-License-Identifier: MIT
# stage.sh tar|deb MANIFEST TOP OUT [CONTROL]
# Packs the files and links of MANIFEST under the directory TOP. The same input
# gives the same bytes, whoever runs this, whenever, wherever.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
while IFS='	' read -r kind what path; do
    mkdir -p "$tmp/$3/$(dirname "$path")"
    case $kind in
    file)
        cp -L "$what" "$tmp/$3/$path"
        chmod 0644 "$tmp/$3/$path"
        ;;
    link) ln -s "$what" "$tmp/$3/$path" ;;
    esac
done <"$2"
chmod -R u=rwX,go=rX "$tmp"
case $1 in
tar)
    tar -C "$tmp" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime=@0 \
        -cf - "$3" | gzip -9n >"$4"
    ;;
deb)
    mkdir "$tmp/DEBIAN"
    printf %s "$5" >"$tmp/DEBIAN/control"
    if printf %s "$5" | grep -q '^Section: libs$'; then
        echo "activate-noawait ldconfig" >"$tmp/DEBIAN/triggers"
    fi
    (cd "$tmp" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
    chmod 0644 "$tmp"/DEBIAN/*
    SOURCE_DATE_EPOCH=0 dpkg-deb --root-owner-group -Zxz --build "$tmp" "$4" >/dev/null
    ;;
esac
