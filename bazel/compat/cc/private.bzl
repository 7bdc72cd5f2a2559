# SPDX-License-Identifier: MIT
"""A .bzl file may not assign a global to its own name, hence a second file."""

native_CcInfo = CcInfo
native_cc_common = cc_common
