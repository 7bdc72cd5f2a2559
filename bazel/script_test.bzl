# SPDX-License-Identifier: MIT
"""script_test, script_binary: a test, a program that is a script with arguments.

Not sh_test: that one is built into Bazel 4 and must be loaded from another
repository in Bazel 9.
"""

def _script_impl(ctx):
    data = ctx.attr.data + [ctx.attr.script]
    args = [ctx.expand_location(a, data) for a in ctx.attr.arguments]
    env = ["export %s='%s'\n" % (k, v) for k, v in ctx.attr.environment.items()]
    test = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(test, "#!/bin/sh\n%sexec '%s' %s \"$@\"\n" % (
        "".join(env),
        ctx.file.script.short_path,
        " ".join(args),
    ), is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files.data + [ctx.file.script])
    for d in ctx.attr.data:
        runfiles = runfiles.merge(d[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = test, runfiles = runfiles)]

_ATTRS = {
    # Not "args" and "env": those names belong to Bazel.
    "arguments": attr.string_list(),
    "data": attr.label_list(allow_files = True),
    "environment": attr.string_dict(),
    "script": attr.label(allow_single_file = True, mandatory = True),
}

_script_test = rule(implementation = _script_impl, attrs = _ATTRS, test = True)

script_binary = rule(implementation = _script_impl, attrs = _ATTRS, executable = True)

def script_test(name, script, args = [], data = [], env = {}, size = "small", **kwargs):
    """A test that runs a script.

    Args:
      name: the test.
      script: an executable file.
      args: its arguments; $(location x) is a path that works in the test.
      data: files it reads.
      env: its environment.
      size: as in other tests.
      **kwargs: common attributes.
    """
    _script_test(
        name = name,
        size = size,
        arguments = [a.replace("$(location ", "$(rootpath ").replace("$(locations ", "$(rootpaths ") for a in args],
        data = data,
        environment = env,
        script = script,
        **kwargs
    )

def format_test(name, srcs):
    """clang-format has nothing to change; run with --config=lint.

    Args:
      name: the test.
      srcs: files; those that are not C or C++ are left out.
    """
    srcs = [f for f in srcs if f.endswith(".c") or f.endswith(".cc") or f.endswith(".h")]
    script_test(
        name = name,
        args = ["$(locations %s)" % f for f in srcs],
        data = srcs + ["//:.clang-format"],
        script = "//bazel:format_check.sh",
        tags = ["lint"],
    )
