# SPDX-License-Identifier: MIT
"""aiox_plugin: a descriptor monitor that the loop opens by name at run time.

aiox_plugin(name = "fdmon_epoll", ...) in plugins/fdmon_epoll makes

  fdmon_epoll.so          exports aiox_fdmon_plugin_v1 and nothing else
  fdmon_epoll_static      the same source with AIOX_FDMON_STATIC: shows aiox_fdmon_epoll
  fdmon_epoll_dist        aiox-fdmon-epoll-0.1.0.tar.gz
  fdmon_epoll_deb         aiox-fdmon-epoll_0.1.0_amd64.deb
  fdmon_epoll_check_test  entries, imports, NEEDED, run path, relro
  fdmon_epoll_format_test clang-format has nothing to change (--config=lint)
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load(":copts.bzl", "COPTS")
load(":library.bzl", "PREFIX", "version_of")
load(":link.bzl", "shared_linkopts")
load(":package.bzl", "plugin_package")
load(":script_test.bzl", "format_test", "script_test")

_API = ["//lib/fdmon:fdmon_headers"]
_ENTRY = "aiox_fdmon_plugin_v1"
_SCRIPT = "//bazel:fdmon_plugin.map"
PLUGIN_DIR = "fdmon-1"

def aiox_plugin(
        name,
        srcs,
        deps = [],
        deb_depends = [],
        copts = [],
        tags = [],
        visibility = ["//visibility:public"]):
    """A backend in both its shapes, compiled against //lib/fdmon and nothing else of ours.

    A symbol that only the host could provide is a link error (-z defs): what
    the plugin needs of the loop comes to it in a table of functions.

    Args:
      name: "fdmon_<backend>", the folder's name.
      srcs: sources and private headers.
      deps: system libraries only; a missing optional one makes all of this "skipped".
      deb_depends: the Debian packages of those, with their versions.
      copts: more compiler flags.
      tags: more tags; backend:<backend> is one already.
      visibility: visibility.
    """
    for d in deps:
        if not d.startswith("@sys_"):
            fail("a plugin knows //lib/fdmon and system libraries, not " + d)
    version = version_of(name)
    backend = name[len("fdmon_"):]
    common = {"tags": tags + ["backend:" + backend]}
    for form, defines in [("objs", []), ("static", ["AIOX_FDMON_STATIC"])]:
        cc_library(
            name = "%s_%s" % (name, form),
            srcs = srcs,
            copts = COPTS + copts,
            linkstatic = True,
            local_defines = defines + ['AIOX_FDMON_VERSION=\\"%s\\"' % version],
            alwayslink = form == "objs",
            visibility = ["//visibility:private"] if form == "objs" else visibility,
            deps = _API + deps,
            **common
        )
    cc_binary(
        name = name + ".so",
        additional_linker_inputs = [_SCRIPT],
        linkopts = shared_linkopts(_SCRIPT),
        linkshared = True,
        visibility = visibility,
        deps = [name + "_objs"],
        **common
    )
    plugin_package(
        name = name + "_pkg",
        srcs = [name + ".so"],
        deb_depends = deb_depends,
        description = "%s as descriptor monitor of the %s event loop" % (backend, PREFIX),
        dir = "%s/%s" % (PREFIX, PLUGIN_DIR),
        package = "%s-%s" % (PREFIX, name.replace("_", "-")),
        version = version,
        visibility = ["//visibility:private"],
        **common
    )
    for kind in ["dist", "deb"]:
        native.filegroup(
            name = "%s_%s" % (name, kind),
            srcs = [name + "_pkg"],
            output_group = kind,
            visibility = visibility,
            **common
        )
    script_test(
        name = name + "_check_test",
        args = ["$(location %s.so)" % name, _ENTRY, "$(location %s_static)" % name, "aiox_" + name],
        data = [name + ".so", name + "_static"],
        script = "//bazel:plugin_check.sh",
        **common
    )
    format_test(name = name + "_format_test", srcs = srcs)

def _plugin_directory_impl(ctx):
    links = []
    for f in ctx.files.plugins:
        link = ctx.actions.declare_file("%s/%s" % (PLUGIN_DIR, f.basename))
        ctx.actions.symlink(output = link, target_file = f)
        links.append(link)
    return [DefaultInfo(files = depset(links), runfiles = ctx.runfiles(files = links))]

aiox_plugin_directory = rule(
    implementation = _plugin_directory_impl,
    doc = "The plugins in one directory fdmon-1/ of this package, as the loader wants them.",
    attrs = {"plugins": attr.label_list(allow_files = [".so"])},
)
