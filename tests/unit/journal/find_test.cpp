// How a person names a run, and where the journal is looked for.

#include <cstdlib>

#include "journal/environment.hpp"
#include "journal/process_start.hpp"
#include "journal/reference.hpp"
#include "journal_fixture.hpp"

#include "base/json.hpp"

#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace punie::journal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Written {
    const char* text;
    Reference::Form form;
    const char* id;
    const char* kind;
    std::size_t back;
};

class ReferenceTest : public testing::TestWithParam<Written> {};

TEST_P(ReferenceTest, IsUnderstood) {
    const auto& row = GetParam();
    const auto reference = must(parse_reference(row.text));
    EXPECT_EQ(reference.form, row.form);
    EXPECT_EQ(reference.id, row.id);
    EXPECT_EQ(reference.kind, row.kind);
    EXPECT_EQ(reference.back, row.back);
}

INSTANTIATE_TEST_SUITE_P(
    Forms,
    ReferenceTest,
    testing::Values(
        Written{"eval-7f3a9c2e", Reference::Form::id, "eval-7f3a9c2e", "", 0},
        Written{"7f3a", Reference::Form::id, "7f3a", "", 0},
        Written{"@last", Reference::Form::newest, "", "eval", 0},
        Written{"@last-train", Reference::Form::newest, "", "train", 0},
        Written{"@last-train~3", Reference::Form::newest, "", "train", 3},
        Written{"@last~1", Reference::Form::newest, "", "eval", 1},
        Written{"@~0", Reference::Form::newest, "", "eval", 0},
        Written{"@~2", Reference::Form::newest, "", "eval", 2},
        Written{"@baseline", Reference::Form::baseline, "", "", 0}
    )
);

class BadReferenceTest : public testing::TestWithParam<const char*> {};

TEST_P(BadReferenceTest, IsRefusedWithTheForms) {
    const auto reference = parse_reference(GetParam());
    ASSERT_FALSE(reference);
    EXPECT_EQ(reference.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(reference.error().message(), HasSubstr(GetParam()));
    EXPECT_THAT(reference.error().hint(), AllOf(HasSubstr("@last"), HasSubstr("@baseline")));
}

INSTANTIATE_TEST_SUITE_P(
    Forms,
    BadReferenceTest,
    testing::Values(
        "",
        "@",
        "@first",
        "@last-",
        "@last-Train",
        "@last train",
        "@~",
        "@~x",
        "@~-1",
        "@~1x",
        "@~99999999999999999999999",
        "@baseline~1",
        "@~1~2"
    )
);

class FindTest : public JournalFixture {
protected:
    void SetUp() override {
        JournalFixture::SetUp();
        auto journal = open();
        for (const auto* id :
             {"eval-aaaa1111", "eval-aabb2222", "train-aaaa3333", "eval-cccc4444"}) {
            const std::string text = id;
            const auto run = must(journal.begin(run_of(text.substr(0, text.find('-')))));
            sql(fmt::format("UPDATE runs SET id = '{}' WHERE id = '{}'", id, run.id));
        }
        must(open().set_baseline("eval-aabb2222"));
    }
};

struct Found {
    const char* text;
    const char* id;
};

class FindsTest : public FindTest, public testing::WithParamInterface<Found> {};

TEST_P(FindsTest, TheRun) {
    EXPECT_EQ(must(open().find(GetParam().text)).id, GetParam().id);
}

INSTANTIATE_TEST_SUITE_P(
    References,
    FindsTest,
    testing::Values(
        Found{"eval-aaaa1111", "eval-aaaa1111"},
        Found{"eval-aaa", "eval-aaaa1111"},
        Found{"t", "train-aaaa3333"},
        Found{"aabb", "eval-aabb2222"},
        Found{"cccc4444", "eval-cccc4444"},
        Found{"@last", "eval-cccc4444"},
        Found{"@~1", "eval-aabb2222"},
        Found{"@~2", "eval-aaaa1111"},
        Found{"@last-train", "train-aaaa3333"},
        Found{"@baseline", "eval-aabb2222"}
    )
);

struct Missing {
    const char* name;
    const char* text;
    ErrorCode code;
    const char* message;
    const char* hint;
};

class MissingTest : public FindTest, public testing::WithParamInterface<Missing> {};

TEST_P(MissingTest, SaysWhatThereIs) {
    const auto found = open().find(GetParam().text);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), GetParam().code);
    EXPECT_THAT(found.error().message(), HasSubstr(GetParam().message));
    EXPECT_THAT(found.error().hint(), HasSubstr(GetParam().hint));
}

INSTANTIATE_TEST_SUITE_P(
    References,
    MissingTest,
    testing::Values(
        Missing{
            "typo",
            "eval-aaaa1112",
            ErrorCode::not_found,
            "no run 'eval-aaaa1112'",
            "did you mean eval-aaaa1111?"
        },
        Missing{
            "far",
            "quantise-00000000",
            ErrorCode::not_found,
            "quantise-00000000",
            "the newest is eval-cccc4444"
        },
        Missing{"like_pattern", "eval-%", ErrorCode::not_found, "eval-%", ""},
        Missing{
            "ambiguous",
            "eval-aa",
            ErrorCode::invalid_argument,
            "2 runs begin so (eval-aabb2222, eval-aaaa1111)",
            "more of the id"
        },
        Missing{
            "ambiguous_over_kinds",
            "aaaa",
            ErrorCode::invalid_argument,
            "ambiguous",
            "more of the id"
        },
        Missing{
            "too_far_back", "@~3", ErrorCode::not_found, "only 3 runs of kind eval", "journal list"
        },
        Missing{
            "no_such_kind",
            "@last-fuse",
            ErrorCode::not_found,
            "no run of kind fuse",
            "journal list"
        },
        Missing{"control", "\x1b[31m", ErrorCode::not_found, "no run ''", ""}
    ),
    [](const auto& row) { return row.param.name; }
);

TEST_F(FindTest, ABaselineThatIsNotMarkedSaysHow) {
    sql("DELETE FROM marks");
    const auto found = open().find("@baseline");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::not_found);
    EXPECT_THAT(found.error().hint(), HasSubstr("punie journal bless"));
}

TEST_F(FindTest, TheBaselineMoves) {
    auto journal = open();
    must(journal.set_baseline("eval-cccc4444"));
    EXPECT_EQ(must(journal.find("@baseline")).id, "eval-cccc4444");
    EXPECT_EQ(must(journal.baseline_id()), "eval-cccc4444");
}

class FolderTest : public testing::Test {
protected:
    void SetUp() override { folder_.emplace(must(TemporaryFolder::make("punie-journal-test"))); }

    fs::path path() const { return fs::canonical(folder_->path()); }

    std::optional<TemporaryFolder> folder_;
};

TEST_F(FolderTest, TheNearestFolderUpwardsIsTaken) {
    fs::create_directories(path() / "a/b/c");
    fs::create_directories(path() / ".punie");
    EXPECT_EQ(find_journal_folder(path() / "a/b/c"), path() / ".punie");
    fs::create_directories(path() / "a/.punie");
    EXPECT_EQ(find_journal_folder(path() / "a/b/c"), path() / "a/.punie");
    EXPECT_EQ(find_journal_folder(path() / "a/b/../b/"), path() / "a/.punie");
}

TEST_F(FolderTest, AFileOfThatNameIsNoJournal) {
    fs::create_directories(path() / "a");
    fs::create_directories(path() / ".punie");
    must(write_atomic(path() / "a/.punie", "x"));
    EXPECT_EQ(find_journal_folder(path() / "a"), path() / ".punie");
}

TEST_F(FolderTest, WithoutAnyItIsTheOneOfTheStart) {
    fs::create_directories(path() / "a");
    EXPECT_EQ(find_journal_folder(path() / "a"), path() / "a/.punie");
}

TEST(EnvironmentTest, TellsTheMachineButNotWhose) {
    const auto text = environment_json();
    const auto value = must(parse_json(text));
    EXPECT_FALSE(string_member(value, "os").value_or("").empty()) << text;
    EXPECT_FALSE(string_member(value, "kernel").value_or("").empty()) << text;
    EXPECT_GT(integer_member(value, "cores").value_or(0), 0) << text;
    EXPECT_GT(integer_member(value, "memory_bytes").value_or(0), 100'000'000) << text;
    utsname system{};
    ASSERT_EQ(::uname(&system), 0);
    EXPECT_THAT(text, Not(HasSubstr(system.nodename)));
}

TEST(ProcessStartTest, TellsTheLivingFromTheDead) {
    const auto own = process_start(::getpid());
    EXPECT_GT(own, 0);
    EXPECT_EQ(process_start(::getpid()), own);
    EXPECT_EQ(process_start(0), 0);
    EXPECT_EQ(process_start(-1), 0);
    EXPECT_EQ(process_start(999'999'999), 0);
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(process_start(child), 0) << "a zombie does not live";
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(process_start(child), 0);
}

}  // namespace
}  // namespace punie::journal
