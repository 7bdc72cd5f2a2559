/* SPDX-License-Identifier: MIT */
/*
 * nomem_test.cc - wherever memory ends while a backend is chosen, nothing is lost.
 *
 * The allocations of the library go through here (linked with --wrap); the nth
 * of them fails. The leak checker of the sanitizers sees what is forgotten.
 */
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

extern "C" {
#include "lib/aio/src/backend.h"

const aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_reallocarray(void *old, size_t count, size_t bytes);
char *__real_strdup(const char *text);
}

namespace
{
int until_failure; /* 0: none fails */
int calls;

bool Fails()
{
    calls++;
    if (until_failure > 0 && --until_failure == 0) {
        errno = ENOMEM;
        return true;
    }
    return false;
}
} // namespace

extern "C" {
void *__wrap_malloc(size_t bytes)
{
    return Fails() ? nullptr : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return Fails() ? nullptr : __real_calloc(count, bytes);
}

void *__wrap_reallocarray(void *old, size_t count, size_t bytes)
{
    return Fails() ? nullptr : __real_reallocarray(old, count, bytes);
}

char *__wrap_strdup(const char *text)
{
    return Fails() ? nullptr : __real_strdup(text);
}
}

namespace
{
aiox_fdmon_entry_fn *const kLinkedIn[] = {aiox_fdmon_poll, nullptr};

/* Makes everything that is to be made, with the nth allocation failing. */
int ChooseOnce(int nth, const char *spec, aiox_error *err)
{
    std::string path = getenv("AIOX_FDMON_PATH");
    aiox_backend_sources sources = {};
    backend_sources copy = {};
    backend_reports reports = {};
    backend *b = nullptr;
    backend *second = nullptr;

    sources.linked_in = kLinkedIn;
    sources.path = path.c_str();
    calls = 0;
    until_failure = nth;
    int error = backend_sources_copy_(&copy, &sources);
    if (!error) {
        error = backend_open_(&b, &copy, spec, &reports, err);
    }
    if (!error) {
        error = backend_reopen_(&second, b, backend_wishes(), err);
    }
    until_failure = 0;
    backend_close_(second);
    backend_close_(b);
    backend_reports_free_(&reports);
    backend_sources_free_(&copy);
    return error;
}

bool Ignore(void *, const aiox_backend_report *, const aiox_fdmon_plugin *)
{
    return true;
}

TEST(NoMemory, ChoosingSaysSoOrTakesAnother)
{
    aiox_error err = {};
    int failures = 0;

    for (const char *spec : {"auto", "nonsense,epoll", "poll"}) {
        ASSERT_EQ(ChooseOnce(0, spec, &err), 0) << spec << ": " << err.message;
        int needed = calls;
        ASSERT_GT(needed, 3);
        for (int nth = 1; nth <= needed + 2; nth++) {
            int error = ChooseOnce(nth, spec, &err);
            EXPECT_TRUE(error == 0 || error == -ENOMEM)
                << spec << " without allocation " << nth << ": " << err.message;
            failures += error != 0;
        }
    }
    EXPECT_GT(failures, 10);
}

TEST(NoMemory, ScanningSaysSo)
{
    std::string path = getenv("AIOX_FDMON_PATH");
    aiox_backend_sources sources = {};
    int failures = 0;

    sources.linked_in = kLinkedIn;
    sources.path = path.c_str();
    for (int nth = 1; nth <= 40; nth++) {
        until_failure = nth;
        int shown = aiox_backend_scan(&sources, AIOX_BACKEND_SCAN_PROBE, nullptr, Ignore, nullptr);
        until_failure = 0;
        EXPECT_TRUE(shown == -ENOMEM || shown > 0) << nth << ": " << shown;
        failures += shown == -ENOMEM;
    }
    EXPECT_GT(failures, 3);
}
} // namespace
