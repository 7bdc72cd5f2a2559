/* SPDX-License-Identifier: MIT */
/*
 * select_test.cc - which of the candidates is taken, and what is said of it.
 *
 * The candidates are linked in and do as the test says. Files: test/abi.
 */
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "aiox/log.h"

extern "C" {
#include "lib/aio/src/backend.h"
#include "lib/aio/src/recall.h"
}

namespace
{
/* A backend that watches nothing; what it says and does is the test's. */
struct Fake {
    aiox_fdmon_plugin plugin;
    aiox_fdmon_ops ops;
    aiox_fdmon_probe verdict;
    int probe_error;
    int open_error;
    int probes, opens, closes;
    std::string option; /* what it read at open() */
};

template <int kIndex> Fake *FakeOf()
{
    static Fake fake;
    return &fake;
}

const aiox_fdmon_option kOptions[] = {{"size", "16", "how many"}, {nullptr, nullptr, nullptr}};

template <int kIndex> int Probe(const aiox_fdmon_host *host, aiox_fdmon_probe *out)
{
    Fake *fake = FakeOf<kIndex>();
    uint32_t size = out->size;

    fake->probes++;
    EXPECT_EQ(host->size, sizeof(*host));
    *out = fake->verdict;
    out->size = size;
    return fake->probe_error;
}

template <int kIndex> int Open(const aiox_fdmon_host *host, aiox_fdmon **out)
{
    Fake *fake = FakeOf<kIndex>();
    const char *value = host->option(host, "size");

    if (fake->open_error) {
        return fake->open_error;
    }
    fake->opens++;
    fake->option = value ? value : "none";
    *out = static_cast<aiox_fdmon *>(host->alloc(host, 1));
    host->free(host, host->alloc(host, 100));
    host->log(host, 2, "hello");
    EXPECT_GT(host->now_ns(host), 0);
    EXPECT_EQ(host->get_extension(host, "org.example.x/1"), nullptr);
    return 0;
}

template <int kIndex> void Close(aiox_fdmon *mon)
{
    FakeOf<kIndex>()->closes++;
    free(mon);
}

int Interest(aiox_fdmon *, int, uint32_t, uint32_t, uint64_t)
{
    return 0;
}
int Collect(aiox_fdmon *, int64_t, aiox_fdmon_event *, int)
{
    return 0;
}

template <int kIndex> const aiox_fdmon_plugin *Entry(uint32_t index)
{
    return index == 0 ? &FakeOf<kIndex>()->plugin : nullptr;
}

template <int kIndex> Fake *Reset(const char *name, int32_t rank)
{
    Fake *fake = FakeOf<kIndex>();

    *fake = {};
    fake->ops.size = sizeof(fake->ops);
    fake->ops.open = Open<kIndex>;
    fake->ops.close = Close<kIndex>;
    fake->ops.interest = Interest;
    fake->ops.collect = Collect;
    fake->plugin.magic = AIOX_FDMON_MAGIC;
    fake->plugin.abi_major = AIOX_FDMON_ABI_MAJOR;
    fake->plugin.size = sizeof(fake->plugin);
    fake->plugin.rank = rank;
    fake->plugin.name = name;
    fake->plugin.version = "0.1.0";
    fake->plugin.ops = &fake->ops;
    fake->plugin.options = kOptions;
    fake->plugin.probe = Probe<kIndex>;
    return fake;
}

/*
 * What was let in once stays: a fake's name, rank and capabilities are the
 * same in all tests. Only what it does may change.
 */
class Select : public ::testing::Test
{
  protected:
    Select()
        : plain_(Reset<0>("plain", 10)), best_(Reset<1>("best", 30)), shy_(Reset<2>("shy", -1)),
          good_(Reset<3>("good", 20))
    {
        recall_forget_();
        good_->plugin.caps = AIOX_FDMON_CAP_PRI;
        static aiox_fdmon_entry_fn *const kTable[] = {Entry<0>, Entry<1>, Entry<2>, Entry<3>,
                                                      nullptr};
        aiox_backend_sources sources = {};
        sources.linked_in = kTable;
        sources.linked_in_only = true;
        EXPECT_EQ(backend_sources_copy_(&sources_, &sources), 0);
        aiox_log_set_hook(Hear, this, AIOX_LOG_DEBUG);
    }

    ~Select() override
    {
        aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_ERROR);
        backend_close_(backend_);
        backend_reports_free_(&reports_);
        backend_sources_free_(&sources_);
        for (const Fake *fake : {plain_, best_, shy_, good_}) {
            EXPECT_EQ(fake->opens, fake->closes) << fake->plugin.name;
        }
    }

    static void Hear(void *self, aiox_log_level level, const char *line)
    {
        static_cast<Select *>(self)->log_.push_back(std::to_string(level) + " " + line);
    }

    void SetOptions(const char *text)
    {
        options_ = text;
        sources_.options = options_.data();
    }

    /* The name of what is taken, or the error's: "ENOENT". */
    std::string Take(const char *spec)
    {
        backend_close_(backend_);
        backend_ = nullptr;
        err_ = {};
        log_.clear();
        int error = backend_open_(&backend_, &sources_, spec, &reports_, &err_);
        EXPECT_EQ(error == 0, backend_ != nullptr);
        EXPECT_EQ(error, err_.code);
        return error ? aiox_error_name(error) : backend_->plugin.name;
    }

    /* "best:probe good:chosen ..." */
    std::string Reports()
    {
        std::string all;
        for (int i = 0; i < reports_.count; i++) {
            const aiox_backend_report &r = reports_.items[i];
            all += (i ? " " : "") + std::string(r.name) + ":" + aiox_backend_stage_text(r.stage);
        }
        return all;
    }

    const aiox_backend_report *ReportOf(const char *name)
    {
        for (int i = 0; i < reports_.count; i++) {
            if (strcmp(reports_.items[i].name, name) == 0) {
                return &reports_.items[i];
            }
        }
        ADD_FAILURE() << "no report of " << name;
        static aiox_backend_report none;
        return &none;
    }

    bool WasSaid(const std::string &level, const std::string &words)
    {
        for (const std::string &line : log_) {
            if (line[0] == level[0] && line.find(words) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    static void MakeUnusable(Fake *fake)
    {
        recall_forget_();
        fake->verdict.state = AIOX_FDMON_UNUSABLE;
        fake->verdict.cause = AIOX_FDMON_CAUSE_DENIED;
        fake->verdict.error = -EPERM;
        strcpy(fake->verdict.text, "magic_setup: Operation not permitted");
        strcpy(fake->verdict.hint, "allow magic_setup");
    }

    Fake *plain_, *best_, *shy_, *good_;
    backend_sources sources_ = {};
    backend *backend_ = nullptr;
    backend_reports reports_ = {};
    std::string options_;
    aiox_error err_ = {};
    std::vector<std::string> log_;
};

TEST_F(Select, NoSpecificationIsTheFirstLinkedInUnasked)
{
    EXPECT_EQ(Take(nullptr), "plain");

    EXPECT_EQ(plain_->probes, 0);
    EXPECT_EQ(Reports(), "plain:chosen");
    EXPECT_NE(backend_->mon, nullptr);
    EXPECT_STREQ(backend_->path, "");
}

TEST_F(Select, AutoTakesTheBestRankAndAsksNoOther)
{
    EXPECT_EQ(Take("auto"), "best");

    EXPECT_EQ(best_->probes, 1);
    EXPECT_EQ(good_->probes + plain_->probes + shy_->probes, 0);
    EXPECT_EQ(Reports(), "best:chosen plain:skipped shy:skipped good:skipped");
    EXPECT_STREQ(ReportOf("shy")->text, "chosen by name only");
    EXPECT_STREQ(ReportOf("good")->text, "not needed");
    EXPECT_FALSE(WasSaid("2", "first choice"));
}

TEST_F(Select, AutoFallsThroughAndSaysSoOnce)
{
    MakeUnusable(best_);

    EXPECT_EQ(Take("auto"), "good");

    EXPECT_EQ(Reports(), "best:probe good:chosen plain:skipped shy:skipped");
    EXPECT_EQ(ReportOf("best")->error, -EPERM);
    EXPECT_EQ(ReportOf("best")->cause, AIOX_FDMON_CAUSE_DENIED);
    EXPECT_STREQ(ReportOf("best")->hint, "allow magic_setup");
    EXPECT_TRUE(WasSaid("2", "backend 'good' was taken, not the first choice: backend 'best': "
                             "probe: denied by policy: magic_setup: Operation not permitted; "
                             "allow magic_setup"));
}

TEST_F(Select, AutoNeverTakesANegativeRank)
{
    MakeUnusable(best_);
    MakeUnusable(good_);
    MakeUnusable(plain_);

    EXPECT_EQ(Take("auto"), "EPERM");

    EXPECT_EQ(shy_->probes, 0);
    EXPECT_EQ(Take("auto,shy"), "shy");
    EXPECT_EQ(Take("shy"), "shy");
}

TEST_F(Select, AListIsTriedInItsOrder)
{
    EXPECT_EQ(Take("good,best"), "good");

    MakeUnusable(good_);
    EXPECT_EQ(Take("good,best"), "best");
    EXPECT_EQ(Reports(), "good:probe best:chosen plain:skipped shy:skipped");
}

TEST_F(Select, AnUnknownNameInAListFallsThrough)
{
    EXPECT_EQ(Take("bst,good"), "good");

    EXPECT_EQ(Reports(), "bst:find good:chosen plain:skipped best:skipped shy:skipped");
    EXPECT_STREQ(ReportOf("bst")->hint, "did you mean 'best'? no directory was looked in");
    EXPECT_TRUE(WasSaid("2", "'bst'"));
}

TEST_F(Select, AnUnknownNameAloneSaysWhatThereIs)
{
    EXPECT_EQ(Take("bset"), "ENOENT");

    EXPECT_STREQ(err_.message,
                 "backend 'bset': find: missing: no such backend; known: plain, best, shy, good; "
                 "did you mean 'best'? no directory was looked in");
}

TEST_F(Select, WhatMustBeIsOrNothingIs)
{
    MakeUnusable(good_);

    EXPECT_EQ(Take("good"), "EPERM");
    EXPECT_EQ(Take("good!,best"), "EPERM");
    EXPECT_EQ(best_->probes, 0);
    EXPECT_STREQ(err_.message, "backend 'good': probe: denied by policy: magic_setup: Operation "
                               "not permitted; allow magic_setup");
}

TEST_F(Select, ExcludedIsNeverTaken)
{
    EXPECT_EQ(Take("-best"), "good");
    EXPECT_STREQ(ReportOf("best")->text, "excluded by '-best'");
    EXPECT_EQ(best_->probes, 0);

    EXPECT_EQ(Take("auto,-best,-good,-plain"), "ENOENT");
    EXPECT_STREQ(err_.message, "'auto,-best,-good,-plain' leaves no backend to choose");
}

TEST_F(Select, AnExclusionThatMissesIsWarnedOf)
{
    EXPECT_EQ(Take("-bets"), "best");

    EXPECT_TRUE(WasSaid("1", "'-bets' excludes no backend; did you mean '-best'?"));
}

TEST_F(Select, AnExclusionOfWhatIsNotInstalledIsNoSlip)
{
    EXPECT_EQ(Take("-kqueue"), "best");

    EXPECT_FALSE(WasSaid("1", "kqueue"));
}

TEST_F(Select, CapabilitiesFilter)
{
    EXPECT_EQ(Take("caps:pri"), "good");
    EXPECT_EQ(best_->probes, 0);
    EXPECT_STREQ(ReportOf("best")->text, "lacks pri");

    EXPECT_EQ(Take("caps:pri+fork"), "EOPNOTSUPP");
    EXPECT_EQ(Take("best,caps:pri"), "EOPNOTSUPP");
    EXPECT_STREQ(err_.message, "backend 'best': skipped: lacks pri");
}

TEST_F(Select, AProbeThatFailsItselfIsAReason)
{
    best_->probe_error = -EMFILE;

    EXPECT_EQ(Take("best"), "EMFILE");

    EXPECT_STREQ(ReportOf("best")->text,
                 "whether it works could not be found out: Too many open files");
}

TEST_F(Select, ADegradedBackendIsTakenWithItsWords)
{
    best_->verdict.state = AIOX_FDMON_DEGRADED;
    best_->verdict.cause = AIOX_FDMON_CAUSE_LIMIT;
    memset(best_->verdict.text, 'x', sizeof(best_->verdict.text)); /* without an end */

    EXPECT_EQ(Take("best"), "best");

    EXPECT_EQ(ReportOf("best")->cause, AIOX_FDMON_CAUSE_LIMIT);
    EXPECT_EQ(strlen(ReportOf("best")->text), sizeof(best_->verdict.text) - 1);
}

TEST_F(Select, AMonitorThatCannotBeOpenedIsAReason)
{
    best_->open_error = -ENOMEM;

    EXPECT_EQ(Take("best,good"), "good");

    EXPECT_EQ(Reports(), "best:open good:chosen plain:skipped shy:skipped");
    EXPECT_EQ(ReportOf("best")->cause, AIOX_FDMON_CAUSE_RESOURCES);
}

TEST_F(Select, WhenNothingWorksTheLastReasonIsGiven)
{
    MakeUnusable(best_);
    good_->open_error = -EIO;

    EXPECT_EQ(Take("best,good"), "EIO");

    EXPECT_STREQ(err_.message,
                 "'best,good': nothing works, last: backend 'good': open: unfit: open: "
                 "Input/output error");
}

TEST_F(Select, EachIsLookedAtOnce)
{
    MakeUnusable(best_);

    EXPECT_EQ(Take("best,auto,best"), "good");

    EXPECT_EQ(best_->probes, 1);
}

TEST_F(Select, ABadSpecificationChangesNothing)
{
    EXPECT_EQ(Take("best,"), "EINVAL");

    EXPECT_EQ(reports_.count, 0);
    EXPECT_EQ(best_->probes, 0);
}

TEST_F(Select, OptionsReachTheBackend)
{
    SetOptions("best.size=99,good.size=1");

    EXPECT_EQ(Take("best"), "best");

    EXPECT_EQ(best_->option, "99");
    EXPECT_TRUE(WasSaid("2", "fdmon_best: hello"));
}

TEST_F(Select, AnUnknownOptionIsARefusal)
{
    SetOptions("best.syze=99");

    EXPECT_EQ(Take("best"), "EINVAL");

    EXPECT_NE(std::string(err_.message).find("did you mean 'size'?"), std::string::npos)
        << err_.message;
    EXPECT_EQ(best_->opens, 0);
}

TEST_F(Select, OptionsThatAreNoneStopEverything)
{
    SetOptions("best");

    EXPECT_EQ(Take(nullptr), "EINVAL");
    EXPECT_EQ(Take("auto"), "EINVAL");
}

TEST_F(Select, AReopenedBackendIsASecondMonitorWithTheSameOptions)
{
    SetOptions("best.size=99");
    ASSERT_EQ(Take("best"), "best");
    best_->option.clear();
    backend *second = nullptr;

    ASSERT_EQ(backend_reopen_(&second, backend_, backend_wishes(), &err_), 0);

    EXPECT_EQ(best_->option, "99");
    EXPECT_NE(second->mon, backend_->mon);
    EXPECT_EQ(second->host.opaque, second);
    EXPECT_EQ(second->plugin.ops, &second->ops);
    EXPECT_EQ(best_->probes, 1) << "it was known to work";
    backend_close_(second);
}

TEST_F(Select, WhatAPluginCannotDoItIsNotReopenedFor)
{
    backend_wishes hosted = {};
    backend_wishes roaming = {};
    hosted.hosted = true;
    roaming.roaming = true;
    ASSERT_EQ(Take("best"), "best");
    backend *second = nullptr;

    EXPECT_TRUE(backend_suits_(backend_, backend_wishes()));
    EXPECT_FALSE(backend_suits_(backend_, hosted));
    EXPECT_FALSE(backend_suits_(backend_, roaming));
    EXPECT_EQ(backend_reopen_(&second, backend_, hosted, &err_), -ENOTSUP);
    EXPECT_EQ(backend_reopen_(&second, backend_, roaming, &err_), -ENOTSUP);

    EXPECT_EQ(second, nullptr);
    EXPECT_NE(std::string(err_.message).find("'best'"), std::string::npos);
}

TEST_F(Select, AFailedReopenLeavesTheFirst)
{
    ASSERT_EQ(Take("best"), "best");
    best_->open_error = -EMFILE;
    backend *second = nullptr;

    EXPECT_EQ(backend_reopen_(&second, backend_, backend_wishes(), &err_), -EMFILE);

    EXPECT_EQ(second, nullptr);
    EXPECT_NE(std::string(err_.message).find("backend 'best': open"), std::string::npos);
    best_->open_error = 0;
}

TEST_F(Select, ReportsAndWordsAreForWhoWantsThem)
{
    MakeUnusable(best_);

    EXPECT_EQ(backend_open_(&backend_, &sources_, "best", nullptr, nullptr), -EPERM);
    EXPECT_EQ(backend_open_(&backend_, &sources_, "auto", nullptr, nullptr), 0);
}

TEST_F(Select, TheTimeSpentIsReported)
{
    static int64_t now_ns;
    aiox_clock_source clock = {[](void *) { return now_ns += 1000; }, [](void *) { return now_ns; },
                               nullptr};
    aiox_clock_set_source(&clock);

    Take("auto");

    aiox_clock_set_source(nullptr);
    EXPECT_GT(ReportOf("best")->spent_ns, 0);
}

TEST_F(Select, TheFirstOfANameWins)
{
    Fake *twin = Reset<4>("best", 40);
    aiox_fdmon_entry_fn *const table[] = {Entry<0>, Entry<1>, Entry<4>, nullptr};
    aiox_backend_sources sources = {};
    sources.linked_in = table;
    sources.linked_in_only = true;
    backend_sources_free_(&sources_);
    ASSERT_EQ(backend_sources_copy_(&sources_, &sources), 0);

    EXPECT_EQ(Take("auto"), "best");

    EXPECT_EQ(backend_->plugin.rank, 30);
    EXPECT_EQ(twin->probes, 0);
    EXPECT_EQ(Reports(), "best:chosen plain:skipped best:skipped");
    EXPECT_STREQ(reports_.items[2].text, "shadowed by the one that is linked in");
}

TEST_F(Select, ABrokenDescriptorIsPassedOver)
{
    Fake *broken = Reset<5>("broken", 90);
    broken->ops.collect = nullptr;
    aiox_fdmon_entry_fn *const table[] = {Entry<0>, Entry<5>, nullptr};
    aiox_backend_sources sources = {};
    sources.linked_in = table;
    sources.linked_in_only = true;
    backend_sources_free_(&sources_);
    ASSERT_EQ(backend_sources_copy_(&sources_, &sources), 0);

    EXPECT_EQ(Take("auto"), "plain");
    EXPECT_EQ(Reports(), "broken:abi plain:chosen");
    EXPECT_EQ(Take("broken"), "EPROTO");
    EXPECT_STREQ(err_.message,
                 "backend 'broken': abi: unfit: the required function collect() is missing");
}

struct Seen {
    std::vector<std::string> names;
    std::vector<std::string> summaries;
    size_t most = 100;
};

bool See(void *opaque, const aiox_backend_report *r, const aiox_fdmon_plugin *plugin)
{
    Seen *seen = static_cast<Seen *>(opaque);

    seen->names.push_back(std::string(r->name) + ":" + aiox_backend_stage_text(r->stage));
    seen->summaries.push_back(plugin ? plugin->version : "none");
    return seen->names.size() < seen->most;
}

class Scan : public Select
{
  protected:
    int Look(aiox_backend_scan_mode mode, const char *only)
    {
        aiox_backend_sources sources = {};
        sources.linked_in = sources_.linked_in;
        sources.linked_in_only = true;
        return aiox_backend_scan(&sources, mode, only, See, &seen_);
    }

    Seen seen_;
};

TEST_F(Scan, ShowsAllInSearchOrder)
{
    EXPECT_EQ(Look(AIOX_BACKEND_SCAN_FILES, nullptr), 4);

    EXPECT_EQ(seen_.names, (std::vector<std::string>{"plain:chosen", "best:chosen", "shy:chosen",
                                                     "good:chosen"}));
    EXPECT_EQ(seen_.summaries[0], "0.1.0");
    EXPECT_EQ(best_->probes, 0);
}

TEST_F(Scan, ProbesWhenAskedAndOpensNothing)
{
    MakeUnusable(best_);

    EXPECT_EQ(Look(AIOX_BACKEND_SCAN_PROBE, "best"), 1);

    EXPECT_EQ(seen_.names, (std::vector<std::string>{"best:probe"}));
    EXPECT_EQ(best_->probes, 1);
    EXPECT_EQ(best_->opens, 0);
    EXPECT_EQ(good_->probes, 0);
}

TEST_F(Scan, StopsWhenTold)
{
    seen_.most = 2;

    EXPECT_EQ(Look(AIOX_BACKEND_SCAN_LOAD, nullptr), 2);
    EXPECT_EQ(Look(AIOX_BACKEND_SCAN_LOAD, "nothing"), 0);
}

TEST(Words, EveryStageAndCauseHasSome)
{
    for (int i = AIOX_BACKEND_FIND; i <= AIOX_BACKEND_SKIPPED; i++) {
        EXPECT_STRNE(aiox_backend_stage_text(static_cast<aiox_backend_stage>(i)), "?");
    }
    for (int i = AIOX_FDMON_CAUSE_NONE; i <= AIOX_FDMON_CAUSE_OTHER; i++) {
        EXPECT_STRNE(aiox_backend_cause_text(static_cast<aiox_fdmon_cause>(i)), "?");
    }
    EXPECT_STREQ(aiox_backend_stage_text(static_cast<aiox_backend_stage>(99)), "?");
    EXPECT_STREQ(aiox_backend_cause_text(static_cast<aiox_fdmon_cause>(99)), "?");
}
TEST_F(Select, WhatWasChosenOnceIsTakenWithoutAnotherSearch)
{
    ASSERT_EQ(Take("auto"), "best");
    std::string reports = Reports();

    EXPECT_EQ(Take("auto"), "best");

    EXPECT_EQ(best_->probes, 1);
    EXPECT_EQ(best_->opens, 2);
    EXPECT_EQ(Reports(), reports);
}

TEST_F(Select, AnotherQuestionIsSearchedFor)
{
    ASSERT_EQ(Take("auto"), "best");

    EXPECT_EQ(Take("auto,-best"), "good");
    EXPECT_EQ(Take("good"), "good");

    EXPECT_EQ(good_->probes, 2);
}

TEST_F(Select, WhatWasChosenOnceAndNoLongerOpensIsLookedForAgain)
{
    ASSERT_EQ(Take("auto"), "best");

    best_->open_error = -EMFILE;

    EXPECT_EQ(Take("auto"), "good");
    EXPECT_EQ(ReportOf("best")->error, -EMFILE);
    EXPECT_TRUE(WasSaid("2", "not the first choice"));
}

TEST_F(Select, ASecondChoiceIsSearchedForEachTime)
{
    MakeUnusable(best_);
    ASSERT_EQ(Take("auto"), "good");

    EXPECT_EQ(Take("auto"), "good");

    EXPECT_EQ(best_->probes, 2);
}

} // namespace
