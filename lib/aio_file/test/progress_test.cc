/* SPDX-License-Identifier: MIT */
/* progress_test.cc - what is left of a list of buffers, however it is cut. */
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_file/src/file.h"

namespace
{
/* Transfers in cuts of @cut bytes; what was transferred, in order. */
std::string InCutsOf(size_t cut, std::vector<std::string> buffers)
{
    std::vector<iovec> iov;
    for (std::string &b : buffers) {
        iov.push_back({b.data(), b.size()});
    }
    aiox_file_progress_ p;
    std::string all;
    progress_init_(&p, iov.data(), static_cast<int>(iov.size()));
    while (p.left_bytes > 0) {
        const iovec *next;
        int count = progress_next_(&p, &next);
        size_t taken = 0;
        for (int i = 0; i < count && taken < cut; i++) {
            size_t n = std::min(next[i].iov_len, cut - taken);
            all.append(static_cast<char *>(next[i].iov_base), n);
            taken += n;
        }
        EXPECT_GT(taken, 0U);
        progress_take_(&p, taken);
    }
    EXPECT_EQ(p.done_bytes, static_cast<int64_t>(all.size()));
    return all;
}

TEST(Progress, EveryByteComesOnceInItsOrderHoweverItIsCut)
{
    for (size_t cut = 1; cut < 12; cut++) {
        EXPECT_EQ(InCutsOf(cut, {"abc", "", "d", "", "", "efghi", ""}), "abcdefghi") << cut;
    }
}

TEST(Progress, OfNothingThereIsNothingLeft)
{
    EXPECT_EQ(InCutsOf(1, {}), "");
    EXPECT_EQ(InCutsOf(1, {"", ""}), "");
}

TEST(Progress, OneCallTakesNoMoreThanTheKernelDoes)
{
    std::vector<iovec> iov(5000, iovec{const_cast<char *>("x"), 1});
    aiox_file_progress_ p;
    const iovec *next;

    progress_init_(&p, iov.data(), 5000);

    EXPECT_EQ(progress_next_(&p, &next), 1024);
    progress_take_(&p, 1024);
    EXPECT_EQ(next + 1024, p.next);
}
} // namespace
