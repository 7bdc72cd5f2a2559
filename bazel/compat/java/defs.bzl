# SPDX-License-Identifier: MIT
"""What Bazel 4's own tools load from @rules_java//java:defs.bzl."""

java_import = native.java_import
java_runtime = native.java_runtime
java_toolchain = native.java_toolchain
