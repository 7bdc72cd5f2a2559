# SPDX-License-Identifier: MIT
"""Compiler flags of everything in the tree. Build types and hardening: .bazelrc."""

_CLANG = select({
    "//bazel:clang": [
        "-Wthread-safety",
        "-Werror=thread-safety",
    ],
    "//conditions:default": [],
})

_BOTH = [
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",  # callbacks take an opaque whether they need it or not
    "-Wshadow",
    "-Wvla",
    "-fvisibility=hidden",
    "-fstack-clash-protection",
]

COPTS = ["-std=gnu11", "-Wstrict-prototypes", "-Wmissing-prototypes"] + _BOTH + _CLANG

CXXOPTS = ["-std=c++17"] + _BOTH + _CLANG
