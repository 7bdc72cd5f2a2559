# SPDX-License-Identifier: MIT
"""schedule_mutants: a schedule test that cannot fail is no test."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//bazel:aiox.bzl", "COPTS", "CXXOPTS", "script_test")

_TEST_DEPS = [
    "//test/harness:main",
    "//test/harness:schedule",
    "@sys_gtest//:gmock",
    "@sys_gtest//:gtest",
]

def _break(name, original, out, expressions):
    """A copy of a file after sed -E; it is an error if that is the same."""
    native.genrule(
        name = name,
        srcs = [original],
        outs = [out],
        cmd = "sed -E %s $< >$@; if cmp -s $< $@; then echo '%s changes nothing'; exit 1; fi" % (
            " ".join(["-e '%s'" % e.replace("$", "$$") for e in expressions]),
            name,
        ),
        tags = ["manual"],
        visibility = ["//visibility:private"],
    )

# A broken copy is linked always: else the linker may find its functions in the library first.
def _library(name, srcs, deps, copts, **kwargs):
    cc_library(
        name = name,
        testonly = True,
        srcs = srcs,
        copts = copts,
        linkstatic = True,
        local_defines = ["AIOX_SCHEDULED=1"],
        tags = ["manual"],  # built for the test alone, not by //...
        visibility = ["//visibility:private"],
        deps = deps,
        **kwargs
    )

def schedule_mutants(
        name,
        library,
        src,
        test_srcs,
        mutants,
        header = None,
        header_mutants = {},
        deps = [],
        **kwargs):
    """Runs a schedule test against broken copies of a library; it must find fault with each.

    Args:
      name: the test.
      library: the aiox_library of this package, a name.
      src: its source.
      test_srcs: the sources of the schedule test.
      mutants: {what is broken in src: [sed -E expressions]}.
      header: its public header.
      header_mutants: {what is broken in header: [sed -E expressions]}.
      deps: aiox_library targets that src needs, a list of names without _sched.
      **kwargs: passed to script_test: size, ...
    """
    sched = [d + "_sched" for d in deps]
    headers = [":%s_headers" % library, ":%s_private" % library] + sched
    own = "-I%s/%s" % (native.package_name(), src.rpartition("/")[0])
    copts = COPTS + ["-Wno-unused", own]
    _library(name + "_objs", test_srcs, headers + _TEST_DEPS, CXXOPTS, alwayslink = True)
    for mutant, expressions in mutants.items():
        stem = "%s_%s" % (name, mutant)
        _break(stem + "_src", src, stem + ".c", expressions)
        _library(stem + "_lib", [stem + ".c"], headers, copts, alwayslink = True)
        cc_binary(
            name = stem,
            testonly = True,
            linkstatic = True,
            tags = ["manual"],
            visibility = ["//visibility:private"],
            deps = [name + "_objs", stem + "_lib"] + sched,
        )
    for mutant, expressions in header_mutants.items():
        stem = "%s_%s" % (name, mutant)
        _break(stem + "_hdr", header, "%s_d/%s" % (stem, header), expressions)
        _library(
            stem + "_headers",
            [],
            sched,
            [],
            hdrs = ["%s_d/%s" % (stem, header)],
            strip_include_prefix = stem + "_d/include",
        )
        broken = [stem + "_headers", ":%s_private" % library, "//lib/base:base_headers"]
        _library(stem + "_lib", [src], broken, copts, alwayslink = True)
        _library(stem + "_objs", test_srcs, broken + _TEST_DEPS, CXXOPTS, alwayslink = True)
        cc_binary(
            name = stem,
            testonly = True,
            linkstatic = True,
            tags = ["manual"],
            visibility = ["//visibility:private"],
            deps = [stem + "_objs", stem + "_lib"] + sched,
        )
    binaries = ["%s_%s" % (name, mutant) for mutant in mutants.keys() + header_mutants.keys()]
    script_test(
        name = name,
        args = ["$(location :%s)" % b for b in binaries],
        data = binaries,
        script = "//test/harness:mutants.sh",
        tags = ["schedule"],
        testonly = True,
        **kwargs
    )
