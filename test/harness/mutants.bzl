# SPDX-License-Identifier: MIT
"""schedule_mutants: a schedule test that cannot fail is no test."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//bazel:aiox.bzl", "COPTS", "CXXOPTS", "script_test")

def schedule_mutants(name, library, src, test_srcs, mutants, deps = [], **kwargs):
    """Runs a schedule test against broken copies of a source; each copy must fail it.

    Args:
      name: the test.
      library: the aiox_library of this package, a name.
      src: its source that is to be broken.
      test_srcs: the sources of the schedule test.
      mutants: {what is broken: [sed -E expressions]}.
      deps: aiox_library targets in their _sched form.
      **kwargs: passed to script_test: size, tags, ...
    """
    headers = [":%s_headers" % library, ":%s_private" % library]
    folder = native.package_name()
    cc_library(
        name = name + "_objs",
        testonly = True,
        srcs = test_srcs,
        copts = CXXOPTS,
        linkstatic = True,
        local_defines = ["AIOX_SCHEDULED=1"],
        alwayslink = True,
        visibility = ["//visibility:private"],
        deps = headers + [
            "//test/harness:main",
            "//test/harness:schedule",
            "@sys_gtest//:gmock",
            "@sys_gtest//:gtest",
        ],
    )
    for mutant, expressions in mutants.items():
        stem = "%s_%s" % (name, mutant)
        native.genrule(
            name = stem + "_src",
            srcs = [src],
            outs = [stem + ".c"],
            cmd = "sed -E %s $< >$@; if cmp -s $< $@; then echo '%s changes nothing'; exit 1; fi" % (
                " ".join(["-e '%s'" % e.replace("$", "$$") for e in expressions]),
                mutant,
            ),
            visibility = ["//visibility:private"],
        )
        cc_library(
            name = stem + "_lib",
            testonly = True,
            srcs = [stem + ".c"],
            copts = COPTS + ["-Wno-unused", "-I%s/%s" % (folder, src.rpartition("/")[0])],
            linkstatic = True,
            local_defines = ["AIOX_SCHEDULED=1"],
            visibility = ["//visibility:private"],
            deps = headers + ["//lib/base:base_headers"],
        )
        cc_binary(
            name = stem,
            testonly = True,
            linkstatic = True,
            visibility = ["//visibility:private"],
            deps = [name + "_objs", stem + "_lib"] + deps,
        )
    binaries = ["%s_%s" % (name, mutant) for mutant in mutants]
    script_test(
        name = name,
        args = ["$(location :%s)" % b for b in binaries],
        data = binaries,
        script = "//test/harness:mutants.sh",
        tags = ["schedule"],
        testonly = True,
        **kwargs
    )
