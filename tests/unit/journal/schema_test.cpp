// Journals of earlier and later versions, and files that are none.

#include <cmath>
#include <fstream>

#include "journal/schema.hpp"
#include "journal_fixture.hpp"

namespace punie::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SchemaTest : public JournalFixture {
protected:
    void SetUp() override {
        JournalFixture::SetUp();
        fs::create_directories(folder());
    }

    void write(std::string_view bytes) const { must(write_atomic(file(), bytes)); }
};

TEST_F(SchemaTest, AJournalOfTheFirstSchemaIsReadWholeAndWrittenOn) {
    sql(must(read_text(PUNIE_SOURCE_DIR "/tests/unit/journal/recorded/journal_v1.sql")));
    auto journal = open();
    const auto run = must(journal.find("@baseline"));
    EXPECT_EQ(run.id, "eval-0000abcd");
    EXPECT_EQ(run.state, RunState::done);
    EXPECT_EQ(run.started, 1700000000.5);
    EXPECT_EQ(run.note, "the first one");
    EXPECT_EQ(run.results_json, R"({"answered":2})");
    const auto answers = must(journal.answers(run.id));
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[1].reason, "no call");
    EXPECT_FALSE(answers[1].unparsed);
    EXPECT_EQ(answers[1].completion_tokens, 21);
    const auto points = must(journal.points("train-0000beef"));
    ASSERT_EQ(points.size(), 1U);
    EXPECT_TRUE(std::isnan(points[0].train_loss.value_or(0)));
    auto answer = answer_of("c");
    answer.unparsed = true;
    must(journal.add_answer(run.id, answer));
    EXPECT_TRUE(must(journal.answers(run.id)).at(2).unparsed);
    EXPECT_THAT(sql("PRAGMA user_version"), ElementsAre(std::to_string(newest_schema())));
}

TEST_F(SchemaTest, TheFirstSchemaIsStillMadeAsItWas) {
    {
        auto database = must(Database::open(file()));
        must(migrate(database, 1));
    }
    const auto made = sql("SELECT sql FROM sqlite_master WHERE sql <> '' ORDER BY name");
    fs::remove(file());
    sql(must(read_text(PUNIE_SOURCE_DIR "/tests/unit/journal/recorded/journal_v1.sql")));
    EXPECT_EQ(made, sql("SELECT sql FROM sqlite_master WHERE sql <> '' ORDER BY name"));
}

TEST_F(SchemaTest, EveryOlderSchemaComesUpToTheSameTables) {
    const std::string tables = "SELECT sql FROM sqlite_master WHERE sql <> '' ORDER BY name";
    {
        auto journal = open();
    }
    const auto expected = sql(tables);
    for (int version = 1; version < newest_schema(); ++version) {
        fs::remove(file());
        {
            auto database = must(Database::open(file()));
            must(migrate(database, version));
        }
        {
            auto journal = open();
        }
        EXPECT_EQ(sql(tables), expected) << "from schema " << version;
    }
}

TEST_F(SchemaTest, ANewerSchemaIsRefusedAndLeftAsItIs) {
    {
        auto journal = open();
    }
    sql("PRAGMA user_version = 77");
    const auto opened = Journal::open(folder());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::state);
    EXPECT_THAT(opened.error().message(), HasSubstr(file().native()));
    EXPECT_THAT(opened.error().message(), HasSubstr("newer Punie (schema 77"));
    EXPECT_THAT(opened.error().hint(), HasSubstr("update"));
    EXPECT_THAT(sql("PRAGMA user_version"), ElementsAre("77"));
}

TEST_F(SchemaTest, ADatabaseOfAnotherProgramIsRefused) {
    sql("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')");
    const auto opened = Journal::open(folder());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::state);
    EXPECT_THAT(opened.error().message(), HasSubstr("another program"));
    EXPECT_THAT(sql("SELECT * FROM songs"), ElementsAre("x"));
}

TEST_F(SchemaTest, AnEmptyFileBecomesAJournal) {
    write("");
    auto journal = open();
    must(journal.begin(run_of("eval")));
}

struct Damage {
    const char* name;
    std::string bytes;
};

class DamageTest : public SchemaTest, public testing::WithParamInterface<Damage> {};

TEST_P(DamageTest, IsToldWithAWayOutAndNothingIsDeleted) {
    write(GetParam().bytes);
    const auto opened = Journal::open(folder());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::io);
    EXPECT_THAT(opened.error().message(), HasSubstr(file().native()));
    EXPECT_THAT(opened.error().message(), HasSubstr("damaged"));
    EXPECT_THAT(opened.error().hint(), HasSubstr("move it away"));
    EXPECT_THAT(opened.error().hint(), HasSubstr(".recover"));
    EXPECT_EQ(must(read_text(file())), GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Files,
    DamageTest,
    testing::Values(
        Damage{
            "text",
            "this is not a database, but long enough to be read as the head of one..." +
                std::string(100, '.')
        },
        Damage{"short", "x"},
        Damage{"zeros", std::string(8192, '\0')},
        Damage{"head_only", std::string("SQLite format 3\0", 16) + std::string(84, '\xff')}
    ),
    [](const auto& row) { return row.param.name; }
);

TEST_F(SchemaTest, APageOverwrittenLaterIsToldByTheCallThatMeetsIt) {
    Record run;
    {
        auto journal = open();
        run = must(journal.begin(run_of("eval")));
        for (int prompt = 0; prompt < 2000; ++prompt)
            must(journal.add_answer(run.id, answer_of(fmt::format("prompt-{:04}", prompt))));
    }
    const auto root = sql("SELECT rootpage FROM sqlite_master WHERE name = 'answers'").at(0);
    {
        std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp((std::stol(root) - 1) * 4096);
        bytes << std::string(4096, '\x5a');
    }
    auto journal = open();
    EXPECT_EQ(must(journal.list()).size(), 1U) << "the runs are on other pages";
    const auto answers = journal.answers(run.id);
    ASSERT_FALSE(answers);
    EXPECT_THAT(answers.error().message(), HasSubstr("damaged"));
    EXPECT_THAT(answers.error().hint(), HasSubstr(".recover"));
}

TEST_F(SchemaTest, AFolderThatCannotBeMadeIsNamed) {
    const auto blocked = folder_->path() / "file" / ".punie";
    must(write_atomic(folder_->path() / "file", "x"));
    const auto opened = Journal::open(blocked);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::io);
    EXPECT_THAT(opened.error().message(), HasSubstr(blocked.native()));
}

TEST_F(SchemaTest, AFolderInPlaceOfTheFileIsNamed) {
    fs::create_directories(file());
    const auto opened = Journal::open(folder());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::io);
    EXPECT_THAT(opened.error().message(), HasSubstr(file().native()));
}

}  // namespace
}  // namespace punie::journal
