#!/bin/sh
# SPDX-License-Identifier: MIT
# format_check.sh FILE...: clang-format has nothing to change.
exec clang-format --style=file --dry-run -Werror "$@"
