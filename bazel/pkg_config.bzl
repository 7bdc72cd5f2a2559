# SPDX-License-Identifier: MIT
"""A repository of cc_library targets for what pkg-config finds on this system,
and for the few libraries that have a header and no file for pkg-config.

Works from WORKSPACE and from a module extension: nothing here depends on how
the rule is called. :found.bzl says which targets are real: FOUND = {"liburing": True}.
"""

_HEADER = """\
# Written by //bazel:pkg_config.bzl.
load("@rules_cc//cc:defs.bzl", "cc_library")

package(default_visibility = ["//visibility:public"])
"""

_FOUND = """
cc_library(
    name = {name},
    hdrs = glob({globs}, allow_empty = True),
    includes = {includes},
    defines = {defines},
    linkopts = {linkopts},
)
"""

_BARE = """
cc_library(
    name = {name},
    linkopts = {linkopts},
)
"""

_MISSING = """
# Not installed here: whatever depends on this is skipped, not broken.
constraint_setting(name = "{name}_installed")

constraint_value(
    name = "{name}_is_missing",
    constraint_setting = "{name}_installed",
)

cc_library(
    name = "{name}",
    target_compatible_with = [":{name}_is_missing"],
)
"""

def _ask(rctx, tool, args):
    r = rctx.execute([tool] + args)
    return r.stdout.strip() if r.return_code == 0 else None

def _words(text):
    return [w for w in text.replace("\n", " ").split(" ") if w]

def _library(rctx, tool, name, module):
    includes = []
    defines = []
    linkopts = []
    for i, flag in enumerate(_words(_ask(rctx, tool, ["--cflags", module]))):
        if flag.startswith("-I"):
            # Headers outside /usr/include must lie in the repository, or the
            # sandbox and the dependency check refuse them.
            link = "include/%s/%d" % (name, i)
            rctx.symlink(flag[2:], link)
            includes.append(link)
        elif flag.startswith("-D"):
            defines.append(flag[2:])
        elif flag == "-pthread":
            linkopts.append(flag)  # A compiler flag cannot travel to dependents.
    libs = _words(_ask(rctx, tool, ["--libs", module]))

    # Abseil's modules name thirty libraries; a program shall load those it uses.
    linkopts += ["-Wl,--push-state,--as-needed"] + libs + ["-Wl,--pop-state"]
    return _FOUND.format(
        name = repr(name),
        globs = repr([i + "/**/*.h" for i in includes] + [i + "/**/*.inc" for i in includes]),
        includes = repr(includes),
        defines = repr(defines),
        linkopts = repr(linkopts),
    )

def _missing(rctx, name, text):
    if not rctx.attr.optional:
        fail("\n\n  %s\n" % text)
    print("%s (the targets that need it are skipped)" % text)  # buildifier: disable=print
    return _MISSING.format(name = name)

def _pkg_config_repository_impl(rctx):
    wanted = rctx.os.environ.get("PKG_CONFIG") or "pkg-config"
    tool = rctx.which(wanted)
    if not tool:
        fail("\n\n  %s is not on PATH. On Debian: apt-get install pkg-config\n" % wanted)
    build = _HEADER
    found = {}
    for name, module in rctx.attr.modules.items():
        found[name] = _ask(rctx, tool, ["--exists", module]) != None
        if found[name]:
            build += _library(rctx, tool, name, module)
            continue
        text = "pkg-config does not find '%s'. On Debian: apt-get install %s" % (
            module,
            " ".join(rctx.attr.apt),
        )
        build += _missing(rctx, name, text)
    headers = {name: (header, ["-l" + name]) for name, header in rctx.attr.bare.items()}
    headers.update({name: (header, []) for name, header in rctx.attr.headers.items()})
    for name, (header, linkopts) in headers.items():
        found[name] = rctx.path("/usr/include/" + header).exists
        if found[name]:
            build += _BARE.format(name = repr(name), linkopts = repr(linkopts))
            continue
        text = "there is no <%s>. On Debian: apt-get install %s" % (header, " ".join(rctx.attr.apt))
        build += _missing(rctx, name, text)
    rctx.file("BUILD", build)
    rctx.file("found.bzl", "FOUND = %r\n" % found)

pkg_config_repository = repository_rule(
    implementation = _pkg_config_repository_impl,
    attrs = {
        "apt": attr.string_list(doc = "The Debian packages to name when a module is missing."),
        "bare": attr.string_dict(doc = "Library name, as after -l -> its header in /usr/include."),
        "headers": attr.string_dict(doc = "The same for those that are headers alone."),
        "modules": attr.string_dict(doc = "Target name -> pkg-config module, with a version if need be."),
        "optional": attr.bool(doc = "Skip the targets that need it instead of failing."),
    },
    configure = True,
    local = True,
    environ = ["PATH", "PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"],
)
