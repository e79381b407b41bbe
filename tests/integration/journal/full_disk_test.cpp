// No space left, and no right to write: said by name, and what was recorded stays readable.

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "children.hpp"

namespace punie::journal {
namespace {

using testing::HasSubstr;

/// Answers until one is refused; 0 when the refusal was the expected one.
int record_until_full(Journal& journal, const std::string& run, const Say& say) {
    for (int prompt = 0; prompt < 100'000; ++prompt) {
        auto answer = answer_of(fmt::format("p{:06}", prompt));
        answer.reason = std::string(2000, 'r');
        const auto added = journal.add_answer(run, answer);
        if (!added) {
            say(fmt::format("{}: {}", name_of(added.error().code()), added.error().describe()));
            return added.error().code() == ErrorCode::disk_full ? 0 : 3;
        }
        say(fmt::format("answer {}", prompt));
    }
    return 4;
}

int record_in_full(const fs::path& folder, const Say& say) {
    auto journal = Journal::open(folder);
    if (!journal) return 1;
    Record run;
    run.kind = "eval";
    auto begun = journal->begin(run);
    if (!begun) return 2;
    say(fmt::format("run {}", begun->id));
    const int code = record_until_full(*journal, begun->id, say);
    if (code != 0) return code;
    // the same connection still reads
    const auto answers = journal->answers(begun->id);
    say(fmt::format("kept {}", answers ? answers->size() : 0));
    return answers ? 0 : 5;
}

struct Outcome {
    std::string run;
    std::size_t acknowledged = 0;
    std::string refusal;
    std::string kept;
};

Outcome outcome_of(const std::vector<std::string>& lines) {
    Outcome outcome;
    for (const auto& line : lines) {
        if (line.starts_with("run ")) outcome.run = line.substr(4);
        if (line.starts_with("answer ")) ++outcome.acknowledged;
        if (line.starts_with("disk_full")) outcome.refusal = line;
        if (line.starts_with("kept ")) outcome.kept = line.substr(5);
    }
    return outcome;
}

void expect_told_and_kept(const Outcome& outcome, const fs::path& folder) {
    EXPECT_GT(outcome.acknowledged, 10U);
    EXPECT_THAT(outcome.refusal, HasSubstr((folder / "journal.db").native()));
    EXPECT_EQ(outcome.kept, std::to_string(outcome.acknowledged));
}

/// A limit on the size of files stands for the disk: no right to mount is needed.
TEST(FullDiskTest, AFileThatMayNotGrow) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const auto folder = temporary->path() / ".punie";
    Child child([&](const Say& say) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{1'000'000, 1'000'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        return record_in_full(folder, say);
    });
    EXPECT_EQ(child.wait(), 0) << fmt::format("{}", fmt::join(child.lines(), "\n"));
    const auto outcome = outcome_of(child.lines());
    expect_told_and_kept(outcome, folder);
    auto journal = Journal::open(folder);
    ASSERT_TRUE(journal) << journal.error().describe();
    EXPECT_EQ(journal->answers(outcome.run)->size(), outcome.acknowledged);
    EXPECT_TRUE(journal->add_answer(outcome.run, answer_of("after"))) << "there is space again";
    EXPECT_EQ(integrity(folder / "journal.db"), "ok");
}

class SmallDisk {
public:
    explicit SmallDisk(const fs::path& where) : where_(where) {
        fs::create_directories(where);
        const auto command =
            fmt::format("mount -t tmpfs -o size=1500k tmpfs '{}' 2>/dev/null", where.native());
        mounted_ = std::system(command.c_str()) == 0;
    }

    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    ~SmallDisk() {
        const auto command = fmt::format("umount '{}'", where_.native());
        if (mounted_) EXPECT_EQ(std::system(command.c_str()), 0);
    }

    bool mounted() const { return mounted_; }

    /// Takes every free byte.
    void fill() const {
        Child filler([this](const Say&) {
            const auto* const file = "rest";
            (void)write_atomic(where_ / "a-little", "x");
            for (int size = 1 << 20; size > 0; size /= 2) {
                while (append(where_ / file, size)) {
                }
            }
            return 0;
        });
        EXPECT_EQ(filler.wait(), 0);
    }

    void free_some() const { fs::remove(where_ / "rest"); }

private:
    static bool append(const fs::path& file, int size) {
        FILE* out = std::fopen(file.c_str(), "ab");
        if (out == nullptr) return false;
        const std::string bytes(static_cast<std::size_t>(size), 'f');
        const bool written = std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
        return std::fclose(out) == 0 && written;
    }

    fs::path where_;
    bool mounted_ = false;
};

TEST(FullDiskTest, ADiskThatIsReallyFull) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const SmallDisk disk(temporary->path() / "disk");
    if (!disk.mounted()) GTEST_SKIP() << "no right to mount";
    const auto folder = temporary->path() / "disk" / ".punie";
    Child child([&](const Say& say) { return record_in_full(folder, say); });
    EXPECT_EQ(child.wait(), 0) << fmt::format("{}", fmt::join(child.lines(), "\n"));
    const auto outcome = outcome_of(child.lines());
    expect_told_and_kept(outcome, folder);
    disk.fill();
    {
        auto journal = Journal::open(folder);
        ASSERT_TRUE(journal) << journal.error().describe();
        EXPECT_EQ(journal->answers(outcome.run)->size(), outcome.acknowledged);
        Record run;
        run.kind = "eval";
        run.config_json = fmt::format(R"({{"long":"{}"}})", std::string(100'000, 'x'));
        const auto begun = journal->begin(run);
        ASSERT_FALSE(begun);
        EXPECT_EQ(begun.error().code(), ErrorCode::disk_full);
    }
    disk.free_some();
    auto journal = Journal::open(folder);
    ASSERT_TRUE(journal) << journal.error().describe();
    EXPECT_TRUE(journal->set_note(outcome.run, "went on"));
    EXPECT_EQ(integrity(folder / "journal.db"), "ok");
}

TEST(FullDiskTest, AJournalThatWasClosedBeforeTheDiskWasFullIsRead) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const SmallDisk disk(temporary->path() / "disk");
    if (!disk.mounted()) GTEST_SKIP() << "no right to mount";
    const auto folder = temporary->path() / "disk" / ".punie";
    std::string run;
    {
        auto journal = Journal::open(folder);
        ASSERT_TRUE(journal) << journal.error().describe();
        Record record;
        record.kind = "eval";
        run = journal->begin(record)->id;
        ASSERT_TRUE(journal->add_answer(run, answer_of("a")));
    }
    ASSERT_FALSE(fs::exists(folder / "journal.db-shm")) << "closing removes log and index";
    disk.fill();
    auto journal = Journal::open(folder);
    ASSERT_TRUE(journal) << journal.error().describe();
    EXPECT_EQ(journal->answers(run)->size(), 1U);
    const auto noted = journal->set_note(run, "x");
    ASSERT_FALSE(noted);
    EXPECT_EQ(noted.error().code(), ErrorCode::disk_full) << noted.error().describe();
}

TEST(FullDiskTest, AFullDiskWithoutAJournalIsToldSo) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const SmallDisk disk(temporary->path() / "disk");
    if (!disk.mounted()) GTEST_SKIP() << "no right to mount";
    disk.fill();
    const auto opened = Journal::open(temporary->path() / "disk" / ".punie");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::disk_full) << opened.error().describe();
}

/// As a user who may read but not write.
int read_only_user(const fs::path& folder, const std::string& run, const Say& say) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 10;
    auto journal = Journal::open(folder);
    if (!journal) {
        say(journal.error().describe());
        return 1;
    }
    const auto answers = journal->answers(run);
    if (!answers || answers->size() != 1) return 2;
    const auto noted = journal->set_note(run, "x");
    if (noted) return 3;
    say(fmt::format("{}: {}", name_of(noted.error().code()), noted.error().describe()));
    return 0;
}

TEST(ReadOnlyTest, AJournalThatMayOnlyBeReadIsReadAndItsWriteNamesTheFile) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    ::chmod(temporary->path().c_str(), 0755);
    const auto folder = temporary->path() / "odd%20?#name";
    std::string run;
    {
        auto journal = Journal::open(folder);
        ASSERT_TRUE(journal) << journal.error().describe();
        Record record;
        record.kind = "eval";
        run = journal->begin(record)->id;
        ASSERT_TRUE(journal->add_answer(run, answer_of("a")));
    }
    ::chmod((folder / "journal.db").c_str(), 0444);
    ::chmod(folder.c_str(), 0555);
    Child child([&](const Say& say) { return read_only_user(folder, run, say); });
    EXPECT_EQ(child.wait(), 0) << fmt::format("{}", fmt::join(child.lines(), "\n"));
    ASSERT_FALSE(child.lines().empty());
    EXPECT_THAT(child.lines()[0], HasSubstr("io: " + (folder / "journal.db").native()));
    EXPECT_THAT(child.lines()[0], HasSubstr("cannot be written"));
    ::chmod(folder.c_str(), 0755);
}

TEST(ReadOnlyTest, AFolderThatMayNotBeWrittenIsNamed) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const auto folder = temporary->path() / "closed";
    fs::create_directory(folder);
    ::chmod(temporary->path().c_str(), 0755);
    ::chmod(folder.c_str(), 0555);
    for (const auto& where : {folder, folder / ".punie"}) {
        Child child([&](const Say& say) {
            if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 10;
            const auto journal = Journal::open(where);
            if (journal) return 1;
            say(journal.error().describe());
            return journal.error().code() == ErrorCode::io ? 0 : 2;
        });
        EXPECT_EQ(child.wait(), 0) << fmt::format("{}", fmt::join(child.lines(), "\n"));
        ASSERT_FALSE(child.lines().empty());
        EXPECT_THAT(child.lines()[0], HasSubstr(where.native()));
    }
}

}  // namespace
}  // namespace punie::journal
