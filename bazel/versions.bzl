# SPDX-License-Identifier: MIT
"""Reads every lib/*/VERSION and plugins/*/VERSION, the only source of versions.

@aiox_versions//:versions.bzl holds
  LIBRARIES   ["base", "bh", ...]         the folders of lib/ that have a BUILD and a VERSION
  PLUGINS     ["fdmon_epoll", ...]        the same for plugins/
  VERSIONS    {"bh": "0.1.0", ...}        of both
It is made again when one of those files changes. Bazel 4 cannot watch a folder:
after a new one appears, `bazel sync --configure` (or a new server) finds it.
"""

def _rooms(rctx, floor):
    """The folders of one floor that have a BUILD and a VERSION file."""
    top = rctx.path(Label("//:WORKSPACE")).dirname.get_child(floor)
    if not top.exists:
        return []
    return sorted([
        room.basename
        for room in top.readdir()
        if room.get_child("BUILD").exists and room.get_child("VERSION").exists
    ])

def _is_version(text):
    numbers = text.split(".")
    return len(numbers) == 3 and all([n.isdigit() and str(int(n)) == n for n in numbers])

def _aiox_versions_impl(rctx):
    rooms = {floor: _rooms(rctx, floor) for floor in ["lib", "plugins"]}
    versions = {}
    for floor, names in rooms.items():
        for name in names:
            # A label, not a path: only that makes the file an input.
            version = rctx.read(Label("//%s/%s:VERSION" % (floor, name))).strip()
            if not _is_version(version):
                fail("%s/%s/VERSION says '%s', not major.minor.patch" % (floor, name, version))
            versions[name] = version
    rctx.file("BUILD", "")
    rctx.file("versions.bzl", "LIBRARIES = %r\nPLUGINS = %r\nVERSIONS = %r\n" % (
        rooms["lib"],
        rooms["plugins"],
        versions,
    ))

aiox_versions = repository_rule(
    implementation = _aiox_versions_impl,
    configure = True,
    local = True,
)

def soname_version(version):
    """The part of a version that the SONAME carries: 0.<minor> before 1.0, then <major>.

    Args:
      version: "major.minor.patch".

    Returns:
      A string.
    """
    major, minor, _ = version.split(".")
    return "0." + minor if major == "0" else major
