# SPDX-License-Identifier: MIT
"""Linking shared objects that are made for installation."""

load("@rules_cc//cc:defs.bzl", "CcInfo", "cc_common")

def _link_against_impl(ctx):
    inputs = []
    if ctx.file.shared_library:
        inputs.append(cc_common.create_linker_input(
            owner = ctx.label,
            user_link_flags = depset([ctx.file.shared_library.path]),
            additional_inputs = depset([ctx.file.shared_library]),
        ))
    return [CcInfo(linking_context = cc_common.create_linking_context(
        linker_inputs = depset(inputs),
    ))]

# A cc_library around a shared object would add a run path into Bazel's output
# tree as well. What is installed must not have one.
link_against = rule(
    implementation = _link_against_impl,
    doc = "Puts a shared object on the link line of its dependents, and nothing else.",
    attrs = {"shared_library": attr.label(allow_single_file = True)},
)

def _version_script_impl(ctx):
    ctx.actions.run_shell(
        outputs = [ctx.outputs.out],
        inputs = [ctx.file.symbols],
        command = 'printf "%s {\\n  global:\\n" "$1" >"$3" && sed "s/.*/    &;/" "$2" >>"$3" && ' +
                  'printf "  local: *;\\n};\\n" >>"$3"',
        arguments = [ctx.attr.node, ctx.file.symbols.path, ctx.outputs.out.path],
        mnemonic = "VersionScript",
    )

version_script = rule(
    implementation = _version_script_impl,
    doc = "The linker's version script for a list of symbols, one a line.",
    attrs = {
        "node": attr.string(mandatory = True),
        "out": attr.output(mandatory = True),
        "symbols": attr.label(allow_single_file = True, mandatory = True),
    },
)

def shared_linkopts(script):
    """Linker flags of every shared object: exports by script, nothing left open.

    Args:
      script: label of the version script.

    Returns:
      linkopts.
    """
    return [
        "-Wl,--version-script=$(location %s)" % script,
        "-Wl,--as-needed",
        "-Wl,-z,relro,-z,now",
    ] + select({
        # The sanitizer runtime of clang is in the executable alone.
        "//bazel:sanitized": [],
        "//conditions:default": ["-Wl,-z,defs"],
    })
