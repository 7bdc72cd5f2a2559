# SPDX-License-Identifier: MIT
"""aiox_test and its relatives: googletest, with the main function of //test/harness."""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("@sys_liburing//:found.bzl", "FOUND")
load(":copts.bzl", "CXXOPTS")
load(":library.bzl", "flavour")
load(":script_test.bzl", "format_test")

BACKENDS = ["poll", "epoll", "io_uring"]
PLUGINS = "//lib/aiox:plugins"

_GTEST = ["//test/harness:main", "@sys_gtest//:gmock", "@sys_gtest//:gtest"]

def aiox_test(name, srcs, deps = [], size = "small", copts = [], **kwargs):
    """A googletest program.

    Args:
      name: the test.
      srcs: its sources.
      deps: what it tests.
      size: small (1 minute), medium (5), large (15), enormous (60).
      copts: more compiler flags.
      **kwargs: passed to cc_test: data, env, tags, ...
    """
    cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = CXXOPTS + copts,
        linkstatic = True,
        deps = deps + _GTEST,
        **kwargs
    )
    format_test(name = name + "_format_test", srcs = srcs)

def _scheduled(label):
    """The _sched form of an aiox_library; other labels as they are."""
    ours = label.startswith("//lib/") or label.startswith(":")
    if not ours or label.endswith("_sched") or label.endswith("_private") or label.endswith("_headers"):
        return label
    return flavour(label, "_sched")

def aiox_schedule_test(name, srcs, deps, copts = [], local_defines = [], tags = [], **kwargs):
    """A test in which a seed decides who runs next; //test/harness:schedule is added.

    Args:
      name: the test.
      srcs: its sources.
      deps: aiox_library targets, taken in their _sched form; private headers, harness parts.
      copts: more compiler flags.
      local_defines: preprocessor definitions.
      tags: more tags; "schedule" is one already, which the sanitizers leave out.
      **kwargs: passed to aiox_test.
    """
    aiox_test(
        name = name,
        srcs = srcs,
        copts = copts,
        local_defines = local_defines + ["AIOX_SCHEDULED=1"],
        tags = tags + ["schedule"],
        deps = [_scheduled(d) for d in deps] + ["//test/harness:schedule"],
        **kwargs
    )

def aiox_backend_test(
        name,
        srcs,
        deps,
        backends = BACKENDS,
        size = "small",
        copts = [],
        tags = [],
        data = [],
        env = {},
        **kwargs):
    """The same test under each backend: <name>_poll, <name>_epoll, ..., and the suite <name>.

    Compiled once. The stamp is AIOX_TEST_FDMON, which the harness's main copies to
    AIOX_FDMON; so `AIOX_FDMON=epoll bazel test //...` moves all other tests but not these.

    Args:
      name: the suite.
      srcs: the sources.
      deps: what it tests.
      backends: the backends.
      size: as in aiox_test.
      copts: more compiler flags.
      tags: more tags; backend:<backend> is one already.
      data: more files; the plugins are there already.
      env: more environment.
      **kwargs: passed to cc_test.
    """
    cc_library(
        name = name + "_objs",
        testonly = True,
        srcs = srcs,
        copts = CXXOPTS + copts,
        linkstatic = True,
        alwayslink = True,
        visibility = ["//visibility:private"],
        deps = deps + _GTEST,
    )
    for backend in backends:
        missing = backend == "io_uring" and not FOUND["liburing"]
        cc_test(
            name = "%s_%s" % (name, backend),
            size = size,
            data = data + [PLUGINS],
            env = dict(env, AIOX_TEST_FDMON = backend),
            linkstatic = True,
            tags = tags + ["backend:" + backend],
            target_compatible_with = ["@sys_liburing//:liburing_is_missing"] if missing else [],
            deps = [name + "_objs"],
            **kwargs
        )
    native.test_suite(name = name, tests = ["%s_%s" % (name, b) for b in backends])
    format_test(name = name + "_format_test", srcs = srcs)
