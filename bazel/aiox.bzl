# SPDX-License-Identifier: MIT
"""Every macro of the tree. README.md beside this file is the manual."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load(":copts.bzl", _COPTS = "COPTS", _CXXOPTS = "CXXOPTS")
load(":library.bzl", _aiox_library = "aiox_library")
load(":plugin.bzl", _aiox_plugin = "aiox_plugin", _aiox_plugin_directory = "aiox_plugin_directory")
load(
    ":script_test.bzl",
    _format_test = "format_test",
    _script_binary = "script_binary",
    _script_test = "script_test",
)
load(
    ":test.bzl",
    _aiox_backend_test = "aiox_backend_test",
    _aiox_schedule_test = "aiox_schedule_test",
    _aiox_test = "aiox_test",
)

COPTS = _COPTS
CXXOPTS = _CXXOPTS
aiox_backend_test = _aiox_backend_test
aiox_library = _aiox_library
aiox_plugin = _aiox_plugin
aiox_plugin_directory = _aiox_plugin_directory
aiox_schedule_test = _aiox_schedule_test
aiox_test = _aiox_test
format_test = _format_test
script_binary = _script_binary
script_test = _script_test

def aiox_binary(name, srcs, copts = [], **kwargs):
    """A C program.

    Args:
      name: the program.
      srcs: sources and private headers.
      copts: more compiler flags.
      **kwargs: passed to cc_binary: deps, data, ...
    """
    cc_binary(
        name = name,
        srcs = srcs,
        copts = COPTS + copts,
        **kwargs
    )
    format_test(name = name + "_format_test", srcs = srcs)
