# SPDX-License-Identifier: MIT
"""clang-tidy over everything that is compiled: bazel build --config=tidy //..."""

load("@rules_cc//cc:defs.bzl", "CcInfo")

def _flags(ctx, cc):
    flags = []
    for flag, dirs in [
        ("-iquote", cc.quote_includes),
        ("-I", cc.includes),
        ("-isystem", cc.system_includes),
    ]:
        for d in dirs.to_list():
            flags += [flag, d]
    for d in cc.defines.to_list() + getattr(ctx.rule.attr, "local_defines", []):
        flags.append("-D" + d.replace('\\"', '"'))  # written for Bazel's shell tokenization
    return flags + getattr(ctx.rule.attr, "copts", [])

def _tidy_impl(target, ctx):
    if not CcInfo in target or ctx.label.workspace_root:
        return []
    cc = target[CcInfo].compilation_context
    reports = []
    for f in getattr(ctx.rule.files, "srcs", []):
        if f.extension not in ["c", "cc"] or not f.is_source:
            continue
        report = ctx.actions.declare_file("%s.%s.tidy" % (ctx.label.name, f.basename))
        ctx.actions.run_shell(
            outputs = [report],
            inputs = depset([f, ctx.file._config], transitive = [cc.headers]),
            command = 'out=$1; shift; clang-tidy --quiet "$@" >"$out" 2>&1 || { sed "s|$PWD/||g" "$out"; exit 1; }',
            arguments = [report.path, "--config-file=" + ctx.file._config.path, f.path, "--"] + _flags(ctx, cc),
            mnemonic = "ClangTidy",
            progress_message = "clang-tidy " + f.short_path,
            use_default_shell_env = True,
        )
        reports.append(report)
    return [OutputGroupInfo(tidy = depset(reports))]

tidy = aspect(
    implementation = _tidy_impl,
    attrs = {
        "_config": attr.label(default = Label("//:.clang-tidy"), allow_single_file = True),
    },
)
