# SPDX-License-Identifier: MIT
"""optimised: a program as it is shipped, whatever the command line says of the others."""

def _as_shipped_impl(_settings, _attr):
    return {
        "//command_line_option:compilation_mode": "opt",
        "//command_line_option:copt": ["-O2"],
        "//command_line_option:linkopt": [],
    }

_as_shipped = transition(
    implementation = _as_shipped_impl,
    inputs = [],
    outputs = [
        "//command_line_option:compilation_mode",
        "//command_line_option:copt",
        "//command_line_option:linkopt",
    ],
)

def _optimised_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = out, target_file = ctx.executable.program, is_executable = True)
    runfiles = ctx.runfiles(files = [out])
    return [DefaultInfo(
        executable = out,
        runfiles = runfiles.merge(ctx.attr.program[0][DefaultInfo].default_runfiles),
    )]

optimised = rule(
    implementation = _optimised_impl,
    doc = "The same program, compiled with -O2 and without sanitizers.",
    attrs = {
        "program": attr.label(cfg = _as_shipped, executable = True, mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    executable = True,
)
