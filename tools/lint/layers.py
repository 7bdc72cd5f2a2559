#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The arrows between rooms: BUILD files and #include lines know only what is below.

  layers.py [ROOT]

Tests may also use test/, from floor 3 up any plugin, and above that lib/aiox, the front door.
Nothing but tests may use abseil, nothing but plugins/fdmon_io_uring liburing.
"""

import ast
import pathlib
import re

import tree as t

_LEAF = ["lib/base"]
_PLUGINS = ["plugins/fdmon_poll", "plugins/fdmon_epoll", "plugins/fdmon_io_uring"]

# Every room and every arrow it has. There are no others, and none points up.
ARROWS = {
    "lib/base": [],
    "lib/fdmon": [],
    "lib/lockcnt": _LEAF,
    "lib/bh": _LEAF,
    "lib/timer": _LEAF,
    "lib/coroutine": _LEAF,
    "plugins/fdmon_poll": ["lib/fdmon"],
    "plugins/fdmon_epoll": ["lib/fdmon"],
    "plugins/fdmon_io_uring": ["lib/fdmon"],
    "lib/aio": ["lib/bh", "lib/timer", "lib/fdmon", "lib/base"],
    "lib/aiox": ["lib/aio", "lib/fdmon", "lib/base"] + _PLUGINS,
    "lib/aio_glib": ["lib/aio", "lib/base"],
    "lib/aio_pool": ["lib/aio", "lib/coroutine", "lib/bh", "lib/base"],
    "lib/aio_co": ["lib/aio", "lib/coroutine", "lib/timer", "lib/bh", "lib/base"],
    "lib/aio_file": [
        "lib/aio_pool", "lib/aio_co", "lib/aio", "lib/coroutine", "lib/bh", "lib/base",
    ],
    "lib/channel": ["lib/aio_co", "lib/aio", "lib/coroutine", "lib/timer", "lib/base"],
    "lib/channel_tls": ["lib/channel", "lib/aio_co", "lib/coroutine", "lib/base"],
    "apps/nbd_server": [
        "lib/channel_tls", "lib/channel", "lib/aio_file", "lib/aio_pool", "lib/aio_co", "lib/aiox",
        "lib/coroutine", "lib/base",
    ],
}

_RING = "plugins/fdmon_io_uring"  # the one that may use liburing

# The inside of the context is known to its birth, its changes of home and the story alone.
ONLY_FOR = {
    "lib/aio/src/context.h": {
        "lib/aio/src/context.c", "lib/aio/src/foreign.c", "lib/aio/src/lend.c",
        "lib/aio/src/poll.c", "lib/aio/src/requests.c",
    },
}

_DEPS = {"deps", "private_deps", "system_deps", "private_system_deps", "plugins", "srcs", "hdrs"}
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)


def room_of(path):
    parts = pathlib.PurePath(path).parts
    return "/".join(parts[:2]) if len(parts) >= 2 else None


def below(room):
    """All rooms that can be reached by arrows."""
    reached = set()
    todo = list(ARROWS.get(room, []))
    while todo:
        r = todo.pop()
        if r not in reached:
            reached.add(r)
            todo += ARROWS[r]
    return reached


def may_use(room, other, testing):
    if other == room or other in ARROWS[room]:
        return True
    if not testing:
        return False
    return (
        other.startswith("test/")
        or other in below(room)
        or (other in _PLUGINS and "lib/aio" in below(room) | {room})
        or (other == "lib/aiox" and "lib/aio" in below(room))
    )


def label_room(label):
    """//lib/bh:x -> lib/bh; labels of this package and of other repositories -> None."""
    match = re.match(r"//([^:]+)", label)
    return room_of(match.group(1) + "/BUILD") if match else None


def calls(build):
    """(call, whether it is a test) of every rule in a BUILD file."""
    for node in ast.walk(ast.parse(build)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            testonly = any(
                k.arg == "testonly" and getattr(k.value, "value", False) for k in node.keywords
            )
            yield node, testonly or node.func.id.endswith("_test")


def check_build(tree, path):
    room = room_of(path)
    for call, testing in calls(tree.read(path)):
        for keyword in call.keywords:
            if keyword.arg not in _DEPS:
                continue
            for node in ast.walk(keyword.value):
                if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                    continue
                other = label_room(node.value)
                if other and not may_use(room, other, testing):
                    tree.fault(path, node.lineno, "%s may not depend on %s" % (room, other))
                if node.value.startswith("@sys_absl") and not testing:
                    tree.fault(path, node.lineno, "%s may not depend on abseil" % room)
                if node.value.startswith("@sys_liburing") and room != _RING:
                    tree.fault(path, node.lineno, "%s may not depend on liburing" % room)


def owners(tree):
    """{"aiox/bh.h": "lib/bh", ...} of the public headers."""
    found = {}
    for path in tree.files("lib", suffixes=".h"):
        if path.parts[2:3] == ("include",):
            found["/".join(path.parts[3:])] = room_of(path)
    return found


def included_room(path, name, public):
    """(room, file in the tree or None) that an #include names."""
    if name in public:
        return public[name], None
    if re.match(r"(lib|plugins|apps|test)/", name):
        return room_of(name), name
    return None, str(path.parent / name)


def check_includes(tree, path, public):
    room = room_of(path)
    code = t.without_comments(tree.read(path), keep_strings=True)
    for match in _INCLUDE.finditer(code):
        name = match.group(1)
        line = t.line_of(code, match.start(1))
        other, file = included_room(path, name, public)
        if other and not may_use(room, other, t.is_test(path)):
            tree.fault(path, line, "%s may not include %s of %s" % (room, name, other))
        if other and other != room and "/src/" in name:
            tree.fault(path, line, "%s is private to %s" % (name, other))
        if name.startswith("absl/") and not t.is_test(path):
            tree.fault(path, line, "%s may not use abseil" % room)
        if re.match(r"liburing\b", name) and room != _RING:
            tree.fault(path, line, "%s may not use liburing" % room)
        if file in ONLY_FOR and str(path) not in ONLY_FOR[file]:
            tree.fault(path, line, "%s is for %s" % (file, ", ".join(sorted(ONLY_FOR[file]))))


def check(tree):
    public = owners(tree)
    for path in tree.files("lib", "plugins", "apps"):
        room = room_of(path)
        if path.name != "BUILD" and not path.name.endswith(t.C_FILES):
            continue
        if room not in ARROWS:
            tree.fault(path, 1, "%s is not a room of tools/lint/layers.py" % room)
        elif path.name == "BUILD":
            check_build(tree, path)
        else:
            check_includes(tree, path, public)


if __name__ == "__main__":
    t.main(check)
