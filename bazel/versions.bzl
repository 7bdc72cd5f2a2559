# SPDX-License-Identifier: MIT
"""Reads every lib/*/VERSION and plugins/*/VERSION, the only source of versions.

@aiox_versions//:versions.bzl holds
  VERSIONS    {"bh": "0.1.0", ...}        by folder
  LIBRARIES   ["base", "bh", ...]         the folders of lib/ that have a BUILD as well
  PLUGINS     ["fdmon_epoll", ...]        the same for plugins/
and is made again when a VERSION file changes or a folder comes or goes. It is not when a
folder that was there gets its first VERSION; then say `bazel sync --configure`.
"""

def _is_version(text):
    numbers = text.split(".")
    return len(numbers) == 3 and all([n.isdigit() and str(int(n)) == n for n in numbers])

def _read(rctx, path):
    # A label, not a path: only that makes the file an input. It is one of the root
    # package because the folder need not have a BUILD.
    version = rctx.read(Label("//:" + path)).strip()
    if not _is_version(version):
        fail("%s says '%s', not major.minor.patch" % (path, version))
    return version

def _aiox_versions_impl(rctx):
    for file in rctx.attr.watch:
        rctx.path(file)
    root = rctx.path(Label("//:WORKSPACE")).dirname
    versions = {}
    rooms = {"lib": [], "plugins": []}
    for floor, built in rooms.items():
        for room in root.get_child(floor).readdir():
            name = room.basename
            if room.get_child("VERSION").exists:
                versions[name] = _read(rctx, "%s/%s/VERSION" % (floor, name))
                if room.get_child("BUILD").exists:
                    built.append(name)
    rctx.file("BUILD", "")
    rctx.file("versions.bzl", "VERSIONS = %r\nLIBRARIES = %r\nPLUGINS = %r\n" % (
        versions,
        sorted(rooms["lib"]),
        sorted(rooms["plugins"]),
    ))

_aiox_versions = repository_rule(
    implementation = _aiox_versions_impl,
    attrs = {"watch": attr.label_list()},
    configure = True,
    local = True,
)

def aiox_versions(name = "aiox_versions"):
    """The repository of versions, and the two that tell it of new folders.

    Bazel 4 lets no Starlark rule watch a folder, but its own new_local_repository
    does: it writes its BUILD file again, and that is a file.

    Args:
      name: its name.
    """
    watch = []
    if hasattr(native, "new_local_repository"):
        for floor in ["lib", "plugins"]:
            native.new_local_repository(
                name = "%s_%s" % (name, floor),
                build_file_content = "",
                path = floor,
            )
            watch.append("@%s_%s//:BUILD.bazel" % (name, floor))
    _aiox_versions(name = name, watch = watch)

def soname_version(version):
    """The part of a version that the SONAME carries: 0.<minor> before 1.0, then <major>.

    Args:
      version: "major.minor.patch".

    Returns:
      A string.
    """
    major, minor, _ = version.split(".")
    return "0." + minor if major == "0" else major
