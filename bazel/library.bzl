# SPDX-License-Identifier: MIT
"""aiox_library: one separately versioned C library.

aiox_library(name = "bh", ...) in lib/bh, whose VERSION says 0.1.0, makes, for use elsewhere,

  bh                  the static flavour with its dependencies: the one to depend on
  bh_shared           the shared flavour, for whoever must share the library
  bh_dist             aiox-bh-0.1.0.tar.gz: headers, .so, .a, .pc
  bh_deb              libaiox-bh0.1 and libaiox-bh-dev

for other libraries, plugins and tests of the tree

  bh_headers          the public headers, without code
  bh_private          the private headers, for lib/bh and below
  bh_sched            the same sources over scheduled atomics, for schedule tests
  bh_link             libaiox_bh.so.0.1 on a link line, without a run path
  bh_pkg              what another library's .pc must know about this one

and the tests

  bh_abi_test         SONAME right, public symbols those in abi/bh.symbols, no run path
  bh_headers_test     each public header alone, twice, as C11 and as C++17
  bh_format_test      clang-format has nothing to change (--config=lint)
"""

load("@aiox_versions//:versions.bzl", "VERSIONS")
load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load(":copts.bzl", "COPTS")
load(":headers.bzl", "header_library", "header_sources")
load(":link.bzl", "link_against", "shared_linkopts", "version_script")
load(":package.bzl", "library_package")
load(":script_test.bzl", "format_test", "script_test")
load(":versions.bzl", "soname_version")

PREFIX = "aiox"

def version_of(name):
    """What the VERSION file of a library or plugin says.

    Args:
      name: its folder.

    Returns:
      "major.minor.patch".
    """
    if name not in VERSIONS:
        fail("%s has no VERSION file; if it has got one now: bazel sync --configure" % name)
    return VERSIONS[name]

def flavour(label, suffix):
    """//lib/bh -> //lib/bh:bh<suffix>; //lib/bh:x -> //lib/bh:x<suffix>.

    Args:
      label: of an aiox_library.
      suffix: "_headers", "_sched", ...

    Returns:
      A label.
    """
    if ":" not in label:
        label = label + ":" + label.split("/")[-1]
    return label + suffix

def _header_test(name, hdrs, deps):
    for language, extension, std in [("c", "c", "c11"), ("cxx", "cc", "c++17")]:
        header_sources(
            name = "%s_%s_srcs" % (name, language),
            extension = extension,
            hdrs = hdrs,
            visibility = ["//visibility:private"],
        )
        cc_library(
            name = "%s_%s" % (name, language),
            srcs = ["%s_%s_srcs" % (name, language)],
            copts = ["-std=" + std, "-Wall", "-Wextra", "-Werror"],
            linkstatic = True,
            visibility = ["//visibility:private"],
            deps = deps,
        )
    cc_test(
        name = name,
        size = "small",
        srcs = ["//bazel:nothing.c"],
        linkstatic = True,
        deps = [name + "_c", name + "_cxx"],
    )

def _packages(name, version, so, hdrs, deps, private_deps, plugins, visibility, **kwargs):
    library_package(
        name = name + "_pkg",
        archives = [name + "_objs"] + plugins if so else [],
        base = "lib%s_%s" % (PREFIX, name) if so else "",
        headers = hdrs,
        package = "%s-%s" % (PREFIX, name.replace("_", "-")),
        requires = [flavour(d, "_pkg") for d in deps],
        requires_private = [flavour(d, "_pkg") for d in private_deps],
        shared_library = so,
        version = version,
        visibility = visibility,
        **kwargs
    )
    for kind in ["dist", "deb"]:
        native.filegroup(
            name = name + "_" + kind,
            srcs = [name + "_pkg"],
            output_group = kind,
            visibility = visibility,
        )

def _shared(name, so, version, hdrs, deps, plugins, visibility):
    """The shared object, its version script, and the test of both."""
    symbols = "abi/%s.symbols" % name
    version_script(
        name = name + "_map",
        out = name + ".map",
        node = "%s_%s_%s" % (PREFIX.upper(), name.upper(), soname_version(version)),
        symbols = symbols,
        visibility = ["//visibility:private"],
    )
    cc_binary(
        name = so,
        additional_linker_inputs = [name + ".map"],
        linkopts = ["-Wl,-soname," + so] + shared_linkopts(name + ".map"),
        linkshared = True,
        visibility = ["//visibility:private"],
        deps = [name + "_objs"] + plugins + [flavour(d, "_link") for d in deps],
    )
    cc_library(
        name = name + "_shared",
        srcs = [so],
        hdrs = hdrs,
        linkstatic = True,
        visibility = visibility,
        deps = [name + "_headers"] + [flavour(d, "_shared") for d in deps],
    )
    script_test(
        name = name + "_abi_test",
        args = ["$(location %s)" % so, so, "$(location %s)" % symbols, "$(location %s_objs)" % name],
        data = [so, symbols, name + "_objs"],
        script = "//bazel:abi_check.sh",
    )

def aiox_library(
        name,
        description,
        hdrs,
        srcs = [],
        deps = [],
        private_deps = [],
        system_deps = {},
        private_system_deps = {},
        private_hdrs = [],
        plugins = [],
        copts = [],
        local_defines = [],
        linkopts = [],
        deb_depends = [],
        deb_devel_depends = [],
        visibility = ["//visibility:public"]):
    """One separately versioned library.

    Args:
      name: the folder's name; files are called lib<PREFIX>_<name>.
      description: one line, for .pc and .deb.
      hdrs: public headers, under include/.
      srcs: sources, .c and .S; none for a library of headers.
      deps: aiox_library targets that the public headers need.
      private_deps: aiox_library targets that only the sources need.
      system_deps: {target: pkg-config module} that the public headers need.
      private_system_deps: the same, for the sources alone.
      private_hdrs: headers beside the sources.
      plugins: aiox_plugin targets whose static form the library contains.
      copts: more compiler flags.
      local_defines: preprocessor definitions of the sources.
      linkopts: more linker flags, also of those who link the static flavour.
      deb_depends: Debian packages of the system libraries.
      deb_devel_depends: their -dev packages, as far as the .pc file names them.
      visibility: visibility of what is for use elsewhere.
    """
    version = version_of(name)
    all_deps = deps + private_deps
    plugins = [flavour(p, "_static") for p in plugins]
    so = "lib%s_%s.so.%s" % (PREFIX, name, soname_version(version)) if srcs else None
    compiled_against = [name + "_headers", name + "_private"] + private_system_deps.keys()
    compiled_against += [flavour(d, "_headers") for d in all_deps]

    header_library(
        name = name + "_headers",
        hdrs = hdrs,
        visibility = visibility,
        deps = [flavour(d, "_headers") for d in deps] + system_deps.keys(),
    )
    cc_library(
        name = name + "_private",
        hdrs = private_hdrs,
        linkstatic = True,
        visibility = ["//%s:__subpackages__" % native.package_name()],
        deps = [d for d in compiled_against if d != name + "_private"],
    )
    link_against(
        name = name + "_link",
        shared_library = so,
        visibility = visibility,
    )
    _packages(
        name,
        version,
        so,
        hdrs,
        deps,
        private_deps,
        plugins,
        visibility,
        deb_depends = deb_depends,
        deb_devel_depends = deb_devel_depends,
        description = description,
        libs_private = linkopts,
        system_requires = system_deps.values(),
        system_requires_private = private_system_deps.values(),
    )
    _header_test(name + "_headers_test", hdrs, [name + "_headers"])
    format_test(name = name + "_format_test", srcs = srcs + hdrs + private_hdrs)
    cc_library(
        name = name + "_sched",
        testonly = True,
        srcs = srcs,
        hdrs = hdrs,
        copts = COPTS + copts,
        linkopts = linkopts,
        linkstatic = True,
        local_defines = local_defines + ["AIOX_SCHEDULED=1"],
        visibility = visibility,
        deps = compiled_against + plugins + [flavour(d, "_sched") for d in all_deps],
    )
    if not srcs:
        for f in ["", "_shared"]:
            cc_library(
                name = name + f,
                hdrs = hdrs,
                visibility = visibility,
                deps = [name + "_headers"] + [flavour(d, f) for d in all_deps],
            )
        return

    cc_library(
        name = name + "_objs",
        srcs = srcs,
        copts = COPTS + copts,
        linkopts = linkopts,
        # Without linkstatic, fastbuild links tests against a shared object per
        # cc_library, in which hidden symbols are missing.
        linkstatic = True,
        local_defines = local_defines,
        alwayslink = True,
        visibility = ["//visibility:private"],
        deps = compiled_against,
    )
    cc_library(
        name = name,
        hdrs = hdrs,
        linkstatic = True,
        visibility = visibility,
        deps = [name + "_headers", name + "_objs"] + plugins + all_deps,
    )
    _shared(name, so, version, hdrs, all_deps, plugins, visibility)
