#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Each lint passes a small clean tree, and finds the fault that is planted in it."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import changelog
import layers
import limits
import links
import names
import pairs
import snippets
import traces
import tree

C = "/* SPDX-License-Identifier: MIT */\n"

CLEAN = {
    "docs/memory-model.md": "| pair | from |\n|---|---|\n| [BH-publish] | push |\n",
    "lib/base/BUILD": 'aiox_library(name = "base", hdrs = ["include/aiox/base.h"])\n',
    "lib/base/VERSION": "0.1.0\n",
    "lib/base/CHANGELOG.md": "# Changelog\n\n## Unreleased\n",
    "lib/base/README.md": "# aiox-base\n",
    "lib/base/include/aiox/base.h": C
    + "#ifndef AIOX_BASE_H_\n#define AIOX_BASE_H_\n\n"
    + "#define AIOX_API\n\nAIOX_API int aiox_base(int x);\nAIOX_API extern int aiox_base_n[2];\n\n"
    + "#endif\n",
    "lib/bh/BUILD": 'aiox_library(name = "bh", srcs = ["src/bh.c"], deps = ["//lib/base"])\n'
    + 'aiox_test(name = "bh_test", deps = [":bh", "@sys_absl//:time", "//test/harness:team"])\n',
    "lib/bh/VERSION": "0.2.1\n",
    "lib/bh/CHANGELOG.md": "# Changelog\n\n## 0.2.1 (2026-02-11)\n",
    "lib/bh/README.md": "# aiox-bh\n\n"
    + "```c compile\n#include \"aiox/base.h\"\n\nint x(void)\n{\n    return aiox_base(1);\n}\n```\n"
    + "\n```c\nreturn a part of something;\n```\n",
    "lib/bh/src/bh.c": C
    + "/*\n * [BH-publish] push -> run. [BH-essay] does not count.\n */\n"
    + '#include "aiox/base.h"\n\n'
    + "static int table[] = { 1, 2 };\n\n"
    + "static void push(int a, int b)\n{\n"
    + "    if (a) {\n        while (b) {\n            b--; /* [BH-publish] */\n        }\n    }\n}\n\n"
    + "int run(void)\n{\n    push(table[0], 2); /* [BH-publish] */\n    return 0;\n}\n",
    "lib/bh/test/bh_test.cc": C + "#include <absl/time/time.h>\n\nTEST(Bh, Runs)\n{\n}\n",
    "lib/aio/BUILD": 'aiox_library(name = "aio")\n',
    "lib/aio/VERSION": "0.1.0\n",
    "lib/aio/CHANGELOG.md": "## Unreleased\n",
    "lib/aio/README.md": "# aiox-aio\n",
    "lib/aio/src/poll.c": C + '#include "context.h"\n#include "lib/aio/src/context.h"\n',
}


class LintTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.root = pathlib.Path(self.folder.name)
        for path, text in CLEAN.items():
            self.write(path, text)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def append(self, path, text):
        self.write(path, CLEAN.get(path, "") + text)

    def replace(self, path, old, new):
        self.assertIn(old, CLEAN[path])
        self.write(path, CLEAN[path].replace(old, new))

    def faults(self, lint):
        t = tree.Tree(self.root)
        lint.check(t)
        return t.faults

    def expect(self, lint, fault):
        """Exactly one fault, which says this."""
        found = self.faults(lint)
        self.assertEqual(len(found), 1, found)
        self.assertIn(fault, found[0])


class CleanTree(LintTest):
    def test_has_no_fault(self):
        for lint in (changelog, layers, limits, links, names, pairs, snippets, traces):
            self.assertEqual(self.faults(lint), [], lint.__name__)

    def test_the_exit_code_tells(self):
        script = str(pathlib.Path(layers.__file__))

        good = subprocess.run([sys.executable, "-B", script, self.root], capture_output=True)
        self.append("lib/base/src/x.c", C + '#include "aiox/bh.h"\n')
        self.write("lib/bh/include/aiox/bh.h", C)
        bad = subprocess.run([sys.executable, "-B", script, self.root], capture_output=True)

        self.assertEqual((good.returncode, good.stdout), (0, b""))
        self.assertEqual(bad.returncode, 1)
        self.assertIn(b"lib/base/src/x.c:2: lib/base may not include aiox/bh.h", bad.stdout)


class Layers(LintTest):
    def test_build_arrow_upward(self):
        self.replace("lib/base/BUILD", "hdrs", 'deps = ["//lib/bh"], hdrs')
        self.expect(layers, "lib/base may not depend on lib/bh")

    def test_build_arrow_between_neighbours(self):
        self.replace("lib/bh/BUILD", '["//lib/base"]', '["//lib/base"] + ["//lib/timer:timer"]')
        self.expect(layers, "lib/bh may not depend on lib/timer")

    def test_a_test_reaches_down_only(self):
        self.replace("lib/bh/BUILD", '":bh",', '":bh", "//lib/aio",')
        self.expect(layers, "lib/bh may not depend on lib/aio")

    def test_the_front_door_is_for_tests_of_what_stands_on_the_loop(self):
        test = 'aiox_test(name = "x_test", deps = ["//lib/aiox"])\n'
        self.write("lib/aiox/BUILD", 'aiox_library(name = "aiox")\n')
        self.write("lib/aio_co/BUILD", 'aiox_library(name = "aio_co")\n' + test)
        self.assertEqual(self.faults(layers), [])
        self.append("lib/bh/BUILD", test)
        self.expect(layers, "lib/bh may not depend on lib/aiox")

    def test_no_library_depends_on_abseil(self):
        self.replace("lib/bh/BUILD", '["//lib/base"]', '["//lib/base", "@sys_absl//:time"]')
        self.expect(layers, "lib/bh may not depend on abseil")

    def test_no_plugin_depends_on_abseil(self):
        self.write("plugins/fdmon_poll/BUILD", 'aiox_plugin(deps = ["@sys_absl//:time"])\n')
        self.expect(layers, "plugins/fdmon_poll may not depend on abseil")

    def test_no_library_includes_abseil(self):
        self.append("lib/bh/src/bh.c", "#include <absl/time/time.h>\n")
        self.expect(layers, "lib/bh may not use abseil")

    def test_nobody_but_the_ring_depends_on_liburing(self):
        self.write("plugins/fdmon_io_uring/BUILD", 'aiox_plugin(deps = ["@sys_liburing//:x"])\n')
        self.write("plugins/fdmon_io_uring/ring.h", C + "#include <liburing.h>\n")
        self.assertEqual(self.faults(layers), [])
        self.replace("lib/bh/BUILD", '["//lib/base"]', '["//lib/base", "@sys_liburing//:liburing"]')
        self.expect(layers, "lib/bh may not depend on liburing")

    def test_nobody_but_the_ring_includes_liburing(self):
        self.append("lib/bh/src/bh.c", "#include <liburing.h>\n")
        self.expect(layers, "lib/bh may not use liburing")

    def test_private_header_of_another_room(self):
        self.append("lib/bh/src/bh.c", '#include "lib/base/src/secret.h"\n')
        self.expect(layers, "lib/base/src/secret.h is private to lib/base")

    def test_plugin_knows_the_contract_alone(self):
        self.write("plugins/fdmon_poll/fdmon_poll.c", C + '#include "aiox/base.h"\n')
        self.expect(layers, "plugins/fdmon_poll may not include aiox/base.h")

    def test_the_inside_of_the_context(self):
        self.write("lib/aio/src/busy.c", C + '#include "context.h"\n')
        self.expect(layers, "context.h is for")

    def test_a_room_without_a_place(self):
        self.write("lib/util/BUILD", "")
        self.expect(layers, "lib/util is not a room")

    def test_a_comment_is_no_include(self):
        self.append("lib/bh/src/bh.c", '/*\n#include "aiox/timer.h"\n#include <absl/x.h>\n*/\n')
        self.assertEqual(self.faults(layers), [])


class Limits(LintTest):
    def test_long_function(self):
        self.append("lib/bh/src/bh.c", "void f(void)\n{\n" + "    f();\n" * 68 + "}\n")
        self.expect(limits, "f() has 71 lines")

    def test_long_function_with_a_reason(self):
        body = "    f();\n" * 68
        self.append("lib/bh/src/bh.c", "/* limits: a table. */\nvoid f(void)\n{\n" + body + "}\n")
        self.assertEqual(self.faults(limits), [])

    def test_many_parameters(self):
        head = "static struct x *g(int a, int (*b)(int, int), int c,\n int d, int e, int f, int g)"
        self.append("lib/bh/src/bh.c", head + "\n{\n}\n")
        self.expect(limits, "g() has 7 parameters")

    def test_deep_nesting(self):
        open_blocks = "if (1) {\nfor (;;) {\nswitch (1) {\ndo {\n"
        self.append("lib/bh/src/bh.c", "void f(void)\n{\n" + open_blocks + "}" * 4 + "\n}\n")
        self.expect(limits, "f() nests 4 deep")

    def test_literals_do_not_nest(self):
        nested = "if (1) {\nif (2) {\nif (3) {\ng((struct x){ .a = { 1 } });\n}\n}\n}\n"
        self.append("lib/bh/src/bh.c", "void f(void)\n{\n" + nested + "}\n")
        self.assertEqual(self.faults(limits), [])

    def test_if_inside_a_function(self):
        self.append("lib/bh/src/bh.c", "void f(void)\n{\n#ifdef X\n    f();\n#endif\n}\n")
        self.expect(limits, "#if inside f()")

    def test_long_source(self):
        self.append("lib/bh/src/bh.c", "int x;\n" * 400)
        self.expect(limits, "lines, not 400")

    def test_long_header(self):
        self.append("lib/base/include/aiox/base.h", "\n" * 350)
        self.expect(limits, "lines, not 350")

    def test_wide_line(self):
        self.append("lib/bh/src/bh.c", "/* " + "x" * 95 + " */\n")
        self.expect(limits, "the line has 101 columns")


class Names(LintTest):
    def test_public_function(self):
        self.replace("lib/base/include/aiox/base.h", "int aiox_base(", "int base(")
        self.expect(names, "public name 'base'")

    def test_public_variable(self):
        self.replace("lib/base/include/aiox/base.h", "aiox_base_n[2]", "base_n[2]")
        self.expect(names, "public name 'base_n'")

    def test_guard(self):
        path = "lib/base/include/aiox/base.h"
        self.write(path, CLEAN[path].replace("AIOX_BASE_H_", "BASE_H"))
        self.expect(names, "the guard is BASE_H, not AIOX_BASE_H_")

    def test_no_guard(self):
        self.write("lib/bh/src/bh.h", C + "#pragma once\n")
        self.expect(names, "has no header guard")

    def test_guard_of_another_header(self):
        guard = "#ifndef AIOX_BASE_H_\n#define AIOX_BASE_H_\n#endif\n"
        self.write("lib/bh/src/base.h", C + guard)
        self.expect(names, "the guard is that of lib/base/include/aiox/base.h")

    def test_licence(self):
        self.replace("lib/bh/src/bh.c", C, "/* bh.c */\n")
        self.expect(names, "lib/bh/src/bh.c:1: begins without")

    def test_licence_of_a_script(self):
        self.write("tools/x.py", "#!/usr/bin/env python3\n# x\n")
        self.expect(names, "tools/x.py:2: begins without")


class Pairs(LintTest):
    def test_one_end(self):
        self.replace("lib/bh/src/bh.c", "2); /* [BH-publish] */", "2);")
        self.expect(pairs, "[BH-publish] has no other end")

    def test_the_kernel_is_the_other_end(self):
        self.append("lib/bh/src/bh.c", "/* [RING-submit] */\n")
        self.append("docs/memory-model.md", "| [RING-submit] | f | the kernel |\n")
        self.assertEqual(self.faults(pairs), [])

    def test_no_row(self):
        self.append("lib/bh/src/bh.c", "/* [BH-rearm] */\n/* [BH-rearm] */\n")
        self.expect(pairs, "[BH-rearm] has no row")

    def test_a_row_for_nothing(self):
        self.append("docs/memory-model.md", "| [BH-gone] | x |\n")
        self.expect(pairs, "[BH-gone] is nowhere")


class Snippets(LintTest):
    def test_code_that_does_not_compile(self):
        self.append("lib/bh/README.md", "```c compile\nint f(void) { return y; }\n```\n")
        self.expect(snippets, "lib/bh/README.md:16:22: error: 'y' undeclared")

    def test_a_program_needs_no_mark(self):
        self.append("lib/bh/README.md", "```c\nint main(void)\n{\n    return y;\n}\n```\n")
        self.expect(snippets, "error: 'y' undeclared")

    def test_a_warning_counts(self):
        self.append("docs/memory-model.md", "```c compile\nstatic int unused;\n```\n")
        self.expect(snippets, "defined but not used")

    def test_a_call_that_is_not_public(self):
        self.replace("lib/bh/README.md", "aiox_base(1)", "aiox_other(1)")
        self.expect(snippets, "aiox_other")


class Links(LintTest):
    def test_a_link_to_nothing(self):
        self.append("lib/bh/README.md", "[good](../base/README.md), [the\nbad](../base/gone.md#x).\n")
        self.expect(links, "leads nowhere: ../base/gone.md")

    def test_good_links_and_code(self):
        text = "[a](../base/README.md) [b](#c) [d](https://x.y/z) `a[1](b)`\n```c\na[1](b);\n```\n"
        self.append("lib/bh/README.md", text)
        self.assertEqual(self.faults(links), [])

    def test_a_target_that_is_not_there(self):
        self.append("lib/bh/README.md", "| P1 | `//lib/bh:gone_test` |\n")
        self.expect(links, "no such target: `//lib/bh:gone_test`")

    def test_a_target_by_its_source_and_by_its_name(self):
        self.write("lib/bh/test/asked_test.cc", "/* SPDX-License-Identifier: MIT */\n")
        self.append("lib/bh/README.md", "`//lib/bh:asked_test` `//lib/bh:bh`\n")
        self.assertEqual(self.faults(links), [])


class Changelog(LintTest):
    def test_missing_readme(self):
        (self.root / "lib/bh/README.md").unlink()
        self.expect(changelog, "lib/bh/README.md:1: is missing")

    def test_malformed_version(self):
        self.write("lib/base/VERSION", "0.01.0\n")
        self.expect(changelog, "'0.01.0' is not major.minor.patch")

    def test_version_without_an_entry(self):
        self.write("lib/bh/VERSION", "0.2.2\n")
        self.expect(changelog, "the newest entry is '0.2.1 (2026-02-11)'")


class Traces(LintTest):
    HEADER = C + "/*\n *   bh run   a = the BH, b = its name; before it\n */\n"
    ROW = "| `bh` | `run` | the BH | its name | before it |\n"

    def setUp(self):
        super().setUp()
        self.append("lib/bh/src/bh.c", "void f(void)\n{\n    AIOX_TRACE(bh, run, 1, 2);\n}\n")
        self.write("lib/bh/src/trace.h", self.HEADER)
        self.write("docs/tracing.md", self.ROW)

    def test_all_three_agree(self):
        self.assertEqual(self.faults(traces), [])

    def test_a_point_that_no_header_knows(self):
        self.write("lib/bh/src/trace.h", C)
        self.expect(traces, "'bh run' is not in src/trace.h")

    def test_a_point_that_no_book_knows(self):
        self.write("docs/tracing.md", "")
        self.expect(traces, "'bh run' has no row")

    def test_a_row_without_a_point(self):
        self.write("docs/tracing.md", self.ROW + self.ROW.replace("run", "gone"))
        self.expect(traces, "'bh gone' is nowhere in the code")

    def test_other_words(self):
        self.write("docs/tracing.md", self.ROW.replace("its name", "its age"))
        self.expect(traces, "says something else of 'bh run'")

    def test_a_point_of_another_room(self):
        self.append("lib/bh/src/x.c", "void f(void)\n{\n    AIOX_TRACE(aio, run, 1, 2);\n}\n")
        self.expect(traces, "stands in another room")


if __name__ == "__main__":
    unittest.main()
