# SPDX-License-Identifier: MIT
"""What the build and Bazel 4's own tools load from @rules_cc//cc:defs.bzl."""

load(":private.bzl", _CcInfo = "native_CcInfo", _cc_common = "native_cc_common")

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library

CcInfo = _CcInfo
cc_common = _cc_common
