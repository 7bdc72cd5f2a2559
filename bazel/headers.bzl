# SPDX-License-Identifier: MIT
"""Public headers of a library: the target without code, and the sources of the header test."""

load("@rules_cc//cc:defs.bzl", "CcInfo", "cc_common")

def _header_library_impl(ctx):
    toolchain = ctx.attr._cc_toolchain[cc_common.CcToolchainInfo]
    include = [p for p in [ctx.label.workspace_root, ctx.label.package, "include"] if p]
    external = bool(ctx.label.workspace_root)

    # Compiles nothing, but makes the module map that the layering check reads.
    compiled, _ = cc_common.compile(
        name = ctx.label.name,
        actions = ctx.actions,
        cc_toolchain = toolchain,
        compilation_contexts = [d[CcInfo].compilation_context for d in ctx.attr.deps],
        feature_configuration = cc_common.configure_features(
            ctx = ctx,
            cc_toolchain = toolchain,
            requested_features = ctx.features,
            unsupported_features = ctx.disabled_features,
        ),
        includes = [] if external else ["/".join(include)],
        public_hdrs = ctx.files.hdrs,
        system_includes = ["/".join(include)] if external else [],
    )
    linked = cc_common.merge_cc_infos(cc_infos = [d[CcInfo] for d in ctx.attr.deps])
    return [
        DefaultInfo(files = depset(ctx.files.hdrs)),
        CcInfo(compilation_context = compiled, linking_context = linked.linking_context),
        coverage_common.instrumented_files_info(
            ctx,
            source_attributes = ["hdrs"],
            dependency_attributes = ["deps"],
            extensions = ["h"],
        ),
    ]

# Not a cc_library with "includes": that means -isystem, under which GCC gives
# no warnings for the headers and coverage counts functions in the wrong file.
header_library = rule(
    implementation = _header_library_impl,
    doc = "Headers under include/, found with -I (with -isystem from another workspace).",
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "hdrs": attr.label_list(allow_files = [".h"]),
        "_cc_toolchain": attr.label(default = Label("@bazel_tools//tools/cpp:current_cc_toolchain")),
    },
    fragments = ["cpp"],
)

def _header_sources_impl(ctx):
    outs = []
    for h in ctx.files.hdrs:
        path = h.path.rpartition("/include/")[2] or h.path
        out = ctx.actions.declare_file("%s/%s.%s" % (
            ctx.label.name,
            path[:-len(".h")].replace("/", "_"),
            ctx.attr.extension,
        ))
        ctx.actions.write(out, '#include "%s"\n#include "%s"\n' % (path, path))
        outs.append(out)
    return [DefaultInfo(files = depset(outs))]

header_sources = rule(
    implementation = _header_sources_impl,
    doc = "One source file per header, which includes it twice and nothing else.",
    attrs = {
        "extension": attr.string(mandatory = True),
        "hdrs": attr.label_list(allow_files = [".h"]),
    },
)
