# SPDX-License-Identifier: MIT
"""Packages of a aiox_library or aiox_plugin: .pc file, archive, .deb. Needs no other repository."""

load(":versions.bzl", "soname_version")

LibraryPackageInfo = provider(
    doc = "What the package of another library must know about this one.",
    fields = ["package", "version", "runtime"],
)

_TRIPLET = "x86_64-linux-gnu"
_MAINTAINER = "The aiox developers <aiox@localhost>"

def _modules(targets):
    return [
        "%s >= %s" % (t[LibraryPackageInfo].package, t[LibraryPackageInfo].version)
        for t in targets
    ]

def _pc(ctx, name, prefix, libdir):
    a = ctx.attr
    requires = _modules(a.requires) + a.system_requires
    private = _modules(a.requires_private) + a.system_requires_private
    lines = [
        "prefix=" + prefix,
        "includedir=${prefix}/include",
        "libdir=${prefix}/" + libdir,
        "",
        "Name: " + a.package,
        "Description: " + a.description,
        "Version: " + a.version,
    ]
    if requires:
        lines.append("Requires: " + ", ".join(requires))
    if private:
        lines.append("Requires.private: " + ", ".join(private))
    lines.append("Cflags: -I${includedir}")
    if a.base:
        lines.append("Libs: -L${libdir} -l" + a.base[len("lib"):])
    if a.libs_private:
        lines.append("Libs.private: " + " ".join(a.libs_private))
    out = ctx.actions.declare_file(name)
    ctx.actions.write(out, "\n".join(lines) + "\n")
    return out

def _static_library(target):
    """The archive among a cc_library's outputs, the position independent one if there are two."""
    found = [f for f in target.files.to_list() if f.extension in ["a", "lo"]]
    return ([f for f in found if ".pic." in f.basename] or found)[0]

def _one_archive(ctx):
    """The members of all archives in one."""
    parts = [_static_library(t) for t in ctx.attr.archives]
    if len(parts) == 1:
        return parts[0]
    out = ctx.actions.declare_file(ctx.label.name + ".a")
    ctx.actions.run_shell(
        outputs = [out],
        inputs = parts,
        command = 'printf "%s\n" "$@" | ar -M',
        arguments = ["create " + out.path] + ["addlib " + p.path for p in parts] + ["save"],
        mnemonic = "MergeArchives",
        use_default_shell_env = True,
    )
    return out

def _stage(ctx, out, entries, mode, top, control = ""):
    """Packs entries, (kind, file or link target, path), with stage.sh."""
    manifest = ctx.actions.declare_file(out.basename + ".manifest")
    ctx.actions.write(manifest, "".join([
        "%s\t%s\t%s\n" % (kind, what if kind == "link" else what.path, path)
        for kind, what, path in entries
    ]))
    inputs = [what for kind, what, _ in entries if kind == "file"]
    ctx.actions.run(
        outputs = [out],
        inputs = inputs + [manifest],
        executable = ctx.file._stage,
        arguments = [mode, manifest.path, top, out.path, control],
        mnemonic = "Package",
        progress_message = "Packing " + out.short_path,
        use_default_shell_env = True,
    )

def _control(ctx, package, section, depends):
    lines = [
        "Package: " + package,
        "Version: " + ctx.attr.version,
        "Architecture: amd64",
        "Maintainer: " + ctx.attr.maintainer,
        "Section: " + section,
        "Priority: optional",
    ]
    if depends:
        lines.append("Depends: " + ", ".join(depends))
    lines.append("Description: " + ctx.attr.description)
    return "\n".join(lines) + "\n"

def _library_package_impl(ctx):
    a = ctx.attr
    headers = [("file", h, "include/" + h.path.rpartition("/include/")[2]) for h in ctx.files.headers]
    runtime = []
    devel = []
    if a.base:
        so = ctx.file.shared_library
        real = "%s.so.%s" % (a.base, a.version)
        runtime = [("file", so, real), ("link", real, so.basename)]
        devel = [
            ("link", so.basename, a.base + ".so"),
            ("file", _one_archive(ctx), a.base + ".a"),
        ]

    # The archive: a tree that may be unpacked anywhere.
    pc = _pc(ctx, a.package + ".pc", "${pcfiledir}/../..", "lib")
    dist = ctx.actions.declare_file("%s-%s.tar.gz" % (a.package, a.version))
    _stage(
        ctx,
        dist,
        headers + [("file", pc, "lib/pkgconfig/" + pc.basename)] +
        [(k, w, "lib/" + p) for k, w, p in runtime + devel],
        "tar",
        "%s-%s" % (a.package, a.version),
    )

    # The two Debian packages.
    runtime_package = "lib%s%s" % (a.package, soname_version(a.version))
    devel_package = "lib%s-dev" % a.package
    libdir = "lib/" + _TRIPLET
    deb_pc = _pc(ctx, "deb/%s.pc" % a.package, "/usr", libdir)
    debs = []
    needed = [
        "%s (>= %s)" % (t[LibraryPackageInfo].runtime, t[LibraryPackageInfo].version)
        for t in a.requires + a.requires_private
        if t[LibraryPackageInfo].runtime
    ]
    if a.base:
        deb = ctx.actions.declare_file("%s_%s_amd64.deb" % (runtime_package, a.version))
        _stage(
            ctx,
            deb,
            [(k, w, "%s/%s" % (libdir, p)) for k, w, p in runtime],
            "deb",
            "usr",
            _control(ctx, runtime_package, "libs", ["libc6"] + needed + a.deb_depends),
        )
        debs.append(deb)
    deb = ctx.actions.declare_file("%s_%s_amd64.deb" % (devel_package, a.version))
    _stage(
        ctx,
        deb,
        headers + [("file", deb_pc, "%s/pkgconfig/%s.pc" % (libdir, a.package))] +
        [(k, w, "%s/%s" % (libdir, p)) for k, w, p in devel],
        "deb",
        "usr",
        _control(ctx, devel_package, "libdevel", (
            ["%s (= %s)" % (runtime_package, a.version)] if a.base else []
        ) + [
            "lib%s-dev (>= %s)" % (t[LibraryPackageInfo].package, t[LibraryPackageInfo].version)
            for t in a.requires + a.requires_private
        ] + a.deb_devel_depends),
    )
    debs.append(deb)

    return [
        DefaultInfo(files = depset([pc])),
        LibraryPackageInfo(
            package = a.package,
            runtime = runtime_package if a.base else "",
            version = a.version,
        ),
        OutputGroupInfo(deb = depset(debs), dist = depset([dist])),
    ]

library_package = rule(
    implementation = _library_package_impl,
    attrs = {
        "archives": attr.label_list(doc = "Static libraries, to be installed as one."),
        "base": attr.string(doc = "lib<name>; empty for a library of headers."),
        "deb_depends": attr.string_list(),
        "deb_devel_depends": attr.string_list(),
        "description": attr.string(mandatory = True),
        "headers": attr.label_list(allow_files = [".h"]),
        "libs_private": attr.string_list(),
        "maintainer": attr.string(default = _MAINTAINER),
        "package": attr.string(mandatory = True),
        "requires": attr.label_list(providers = [LibraryPackageInfo]),
        "requires_private": attr.label_list(providers = [LibraryPackageInfo]),
        "shared_library": attr.label(allow_single_file = True),
        "system_requires": attr.string_list(),
        "system_requires_private": attr.string_list(),
        "version": attr.string(mandatory = True),
        "_stage": attr.label(default = Label("//bazel:stage.sh"), allow_single_file = True),
    },
)

def _plugin_package_impl(ctx):
    a = ctx.attr
    top = "%s-%s" % (a.package, a.version)
    dist = ctx.actions.declare_file(top + ".tar.gz")
    deb = ctx.actions.declare_file("%s_%s_amd64.deb" % (a.package, a.version))
    trees = [
        (dist, "lib/" + a.dir, "tar", top, ""),
        (
            deb,
            "lib/%s/%s" % (_TRIPLET, a.dir),
            "deb",
            "usr",
            _control(ctx, a.package, "misc", ["libc6"] + a.deb_depends),
        ),
    ]
    for out, dir, mode, root, control in trees:
        entries = [("file", f, "%s/%s" % (dir, f.basename)) for f in ctx.files.srcs]
        _stage(ctx, out, entries, mode, root, control)
    return [
        DefaultInfo(files = depset()),
        OutputGroupInfo(deb = depset([deb]), dist = depset([dist])),
    ]

plugin_package = rule(
    implementation = _plugin_package_impl,
    doc = "<package>-<version>.tar.gz and <package>_<version>_amd64.deb with the files in one directory.",
    attrs = {
        "deb_depends": attr.string_list(),
        "description": attr.string(mandatory = True),
        "dir": attr.string(mandatory = True, doc = "Below lib/, or the system's directory of libraries."),
        "maintainer": attr.string(default = _MAINTAINER),
        "package": attr.string(mandatory = True),
        "srcs": attr.label_list(allow_files = True),
        "version": attr.string(mandatory = True),
        "_stage": attr.label(default = Label("//bazel:stage.sh"), allow_single_file = True),
    },
)
