# SPDX-License-Identifier: MIT
"""For MODULE.bazel (Bazel 7 and later). Bazel 4 never loads this file."""

load(":system_deps.bzl", "system_deps")
load(":versions.bzl", "aiox_versions")

def _system_impl(_mctx):
    system_deps()
    aiox_versions()

system = module_extension(implementation = _system_impl)
