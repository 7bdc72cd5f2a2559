# SPDX-License-Identifier: MIT
"""The system libraries the build uses, one list for WORKSPACE and MODULE.bazel."""

load(":pkg_config.bzl", "pkg_config_repository")

def system_deps():
    pkg_config_repository(
        name = "sys_liburing",  # plugins/fdmon_io_uring alone
        apt = ["liburing-dev"],
        modules = {"liburing": "liburing >= 2.3"},
        optional = True,
    )
    pkg_config_repository(
        name = "sys_seccomp",  # tests only
        apt = ["libseccomp-dev"],
        modules = {"seccomp": "libseccomp >= 2.5"},
        optional = True,
    )
    pkg_config_repository(
        name = "sys_glib",
        apt = ["libglib2.0-dev"],
        modules = {"glib": "glib-2.0 >= 2.66"},
    )
    pkg_config_repository(
        name = "sys_aio",
        apt = ["libaio-dev"],
        bare = {"aio": "libaio.h"},
        optional = True,
    )
    pkg_config_repository(
        name = "sys_gnutls",
        apt = ["libgnutls28-dev"],
        modules = {"gnutls": "gnutls >= 3.7"},
        optional = True,
    )
    pkg_config_repository(
        name = "sys_uv",  # tests only, and benchmarks
        apt = ["libuv1-dev"],
        modules = {"uv": "libuv >= 1.44"},
        optional = True,
    )
    pkg_config_repository(
        name = "sys_systemd",  # tests only, and benchmarks
        apt = ["libsystemd-dev"],
        modules = {"systemd": "libsystemd >= 250"},
        optional = True,
    )
    pkg_config_repository(
        name = "sys_peers",  # benchmarks only
        apt = [
            "libev-dev",
            "libevent-dev",
            "libboost-dev",
            "libboost-context-dev",
            "libboost-coroutine-dev",
        ],
        modules = {
            "event": "libevent >= 2.1",
            "event_pthreads": "libevent_pthreads >= 2.1",
        },
        bare = {
            "ev": "ev.h",
            "boost_context": "boost/context/detail/fcontext.hpp",
            "boost_coroutine": "boost/coroutine/all.hpp",
        },
        headers = {"boost_asio": "boost/asio.hpp"},
        optional = True,
    )
    pkg_config_repository(
        name = "sys_gtest",
        apt = ["libgtest-dev", "libgmock-dev"],
        modules = {
            "gmock": "gmock >= 1.12",
            "gtest": "gtest >= 1.12",
        },
    )
    pkg_config_repository(
        name = "sys_absl",
        apt = ["libabsl-dev"],
        modules = {
            "cleanup": "absl_cleanup",
            "flags": "absl_flags_parse",
            "strings": "absl_strings",
            "symbolize": "absl_symbolize",
            "time": "absl_time",
        },
    )
