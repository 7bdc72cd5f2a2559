/* SPDX-License-Identifier: MIT */
/*
 * tables_test.cc - plugins of other ages load, and those whose tables lie are refused.
 *
 * Their files are sound, so each is opened, in a child of its own.
 */
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "test/abi/elf_editor.h"
#include "test/abi/workshop.h"

namespace
{
namespace fs = std::filesystem;
using aiox_test::Child;
using aiox_test::ElfEditor;
using aiox_test::Finding;
using aiox_test::ReadFile;
using aiox_test::RunInChild;
using aiox_test::ScanHere;
using aiox_test::Words;
using aiox_test::WriteFile;

class Tables : public aiox_test::Workshop
{
  protected:
    std::string WithFault(const char *fault, aiox_backend_scan_mode mode = AIOX_BACKEND_SCAN_LOAD)
    {
        std::string path = Install("tiny");

        setenv("AIOX_TEST_FAULT", fault, 1);
        return Words(Look(path, mode));
    }
};

TEST_F(Tables, AnOlderPluginLacksWhatCameLater)
{
    Finding older = Look(Install("older"), AIOX_BACKEND_SCAN_PROBE);

    EXPECT_EQ(Words(older), "chosen 0: ");
    EXPECT_EQ(older.caps, 0U);
    EXPECT_STREQ(older.version, "0.0.1");
}

TEST_F(Tables, ANewerPluginLosesWhatIsNotKnown)
{
    Finding newer = Look(Install("newer"), AIOX_BACKEND_SCAN_PROBE);

    EXPECT_EQ(Words(newer), "chosen 0: as new");
    EXPECT_EQ(newer.caps, AIOX_FDMON_CAP_LEVEL | AIOX_FDMON_CAP_COMPLETION | UINT64_C(1) << 40);
    EXPECT_STREQ(newer.name, "newer") << "not the other one of the same file";
}

TEST_F(Tables, ASecondBackendOfAFileIsFoundByItsName)
{
    std::string path = Install("newer");
    fs::create_hard_link(path, In("fdmon_other.so"));
    fs::create_hard_link(path, In("fdmon_third.so"));

    Child child = RunInChild([&](std::vector<Finding> *findings) {
        for (const char *name : {"newer", "other", "third"}) {
            std::string file = In("fdmon_" + std::string(name) + ".so");
            findings->push_back(ScanHere(file.c_str(), AIOX_BACKEND_SCAN_PROBE)[0]);
        }
    });

    ASSERT_TRUE(child.IsWell()) << child.HowItEnded();
    EXPECT_STREQ(child.findings[0].name, "newer");
    EXPECT_STREQ(child.findings[1].name, "other");
    EXPECT_EQ(child.findings[1].stage, AIOX_BACKEND_CHOSEN) << Words(child.findings[1]);
    EXPECT_EQ(Words(child.findings[2]),
              "note ENOEXEC: the note in it is of 'newer', not of 'third'");
}

TEST_F(Tables, ThatLieAreRefused)
{
    EXPECT_EQ(WithFault("none"), "chosen 0: ");
    EXPECT_EQ(WithFault("magic"), "abi EPROTO: the descriptor has a bad mark (0x314d4447)");
    EXPECT_EQ(WithFault("major"),
              "abi EPROTO: made for version 2.0 of the contract, this loop has 1.0");
    EXPECT_EQ(WithFault("collect"), "abi EPROTO: the required function collect() is missing");
    EXPECT_EQ(WithFault("short"), "abi EPROTO: the required function close() is missing");
    EXPECT_EQ(WithFault("empty"), "abi EPROTO: the file is of 'tiny', its descriptor of 'nothing'");
    EXPECT_EQ(WithFault("name"), "abi EPROTO: the file is of 'tiny', its descriptor of 'huge'");
    EXPECT_EQ(WithFault("must-understand"), "abi EPROTO: it needs something that this loop does "
                                            "not know (bits 0x4000000000000)");
}

TEST_F(Tables, ADescriptorThatDisagreesWithItsNoteIsRefused)
{
    EXPECT_EQ(WithFault("version"),
              "abi EPROTO: its note says '0.1.0' for 1.0, its descriptor '9.9.9' for 1.0");
    EXPECT_EQ(WithFault("minor"),
              "abi EPROTO: its note says '0.1.0' for 1.0, its descriptor '0.1.0' for 1.1");
}

TEST_F(Tables, AProbeSaysWhyNot)
{
    std::string path = Install("tiny");
    setenv("AIOX_TEST_FAULT", "probe", 1);

    Finding finding = Look(path, AIOX_BACKEND_SCAN_PROBE);

    EXPECT_EQ(Words(finding), "probe EIO: the moon is full");
    EXPECT_EQ(finding.cause, AIOX_FDMON_CAUSE_QUIRK);
    EXPECT_STREQ(finding.hint, "wait");
    EXPECT_TRUE(finding.has_plugin) << "what it says of itself is known all the same";
}

TEST_F(Tables, EightThreadsOpenAFileOnce)
{
    std::string path = Install("tiny");
    std::vector<Finding> findings(8);
    std::vector<std::thread> threads;

    for (Finding &finding : findings) {
        threads.emplace_back([&] { finding = ScanHere(path.c_str(), AIOX_BACKEND_SCAN_PROBE)[0]; });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }

    for (const Finding &finding : findings) {
        EXPECT_EQ(finding.stage, AIOX_BACKEND_CHOSEN) << Words(finding);
    }
    EXPECT_EQ(Loads(), 1U);
}

TEST_F(Tables, AFileThatWasOpenedOutlivesItsReplacement)
{
    std::string path = Install("tiny");

    Child child = RunInChild([&](std::vector<Finding> *findings) {
        findings->push_back(ScanHere(path.c_str(), AIOX_BACKEND_SCAN_PROBE)[0]);
        WriteFile(In("new"), "an upgrade that went wrong");
        fs::rename(In("new"), path);
        findings->push_back(ScanHere(path.c_str(), AIOX_BACKEND_SCAN_PROBE)[0]);
    });

    ASSERT_TRUE(child.IsWell()) << child.HowItEnded();
    EXPECT_EQ(Words(child.findings[0]), "chosen 0: ");
    EXPECT_EQ(Words(child.findings[1]), "chosen 0: ");
    EXPECT_EQ(Loads(), 1U);
}

TEST_F(Tables, DisabledFilesStayClosedForGood)
{
    std::string path = Install("tiny");

    Child child = RunInChild([&](std::vector<Finding> *findings) {
        aiox_plugins_disable();
        findings->push_back(ScanHere(path.c_str(), AIOX_BACKEND_SCAN_LOAD)[0]);
        for (const Finding &finding : ScanHere(nullptr, AIOX_BACKEND_SCAN_LOAD, dir_.c_str())) {
            findings->push_back(finding);
        }
    });

    ASSERT_TRUE(child.IsWell()) << child.HowItEnded();
    ASSERT_EQ(child.findings.size(), 2U);
    EXPECT_EQ(Words(child.findings[0]),
              "load EPERM: this program has called aiox_plugins_disable()");
    EXPECT_STREQ(child.findings[1].name, "poll") << "what is linked in stays";
    EXPECT_EQ(Loads(), 0U);
}
} // namespace
