// punie report and punie view as a person uses them.

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "integration/cli/cli_fixture.hpp"
#include "integration/http/raw_client.hpp"
#include "journal/journal.hpp"
#include "report/render.hpp"
#include "unit/report/sample_data.hpp"

namespace punie::cli {

namespace {

using test::ask;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ReportCommand : public CliFixture {
protected:
    void SetUp() override {
        CliFixture::SetUp();
        environment_["PUNIE_JOURNAL"] = (path() / ".punie").native();
        std::ofstream(file()) << report::render_json(report::sample_data());
    }

    fs::path file() const { return path() / "report.json"; }

    std::string text_of(const fs::path& where) const { return read_text(where).value_or("(none)"); }

    /// A finished run in the journal; with a report when asked for.
    std::string add_run(const std::string& kind, bool with_report) const {
        auto journal = journal::Journal::open(path() / ".punie");
        EXPECT_TRUE(journal);
        auto run = journal->begin({.kind = kind, .name = "a <name>", .command = "punie x"});
        EXPECT_TRUE(run);
        run->state = journal::RunState::done;
        EXPECT_TRUE(journal->update(*run));
        if (with_report) {
            auto folder = journal->run_folder(run->id);
            EXPECT_TRUE(folder);
            std::ofstream(*folder / "report.json") << report::render_json(report::sample_data());
        }
        return run->id;
    }
};

TEST_F(ReportCommand, WritesThePageBesideTheData) {
    auto program = punie({"report", file().native()});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_EQ(program.out(), "The tuned model is better.\n");
    EXPECT_THAT(text_of(path() / "report.html"), HasSubstr("<title>Home tools</title>"));
}

TEST_F(ReportCommand, WritesEveryFormAskedFor) {
    const auto at = [&](const char* name) { return (path() / name).native(); };
    auto program = punie(
        {"report",
         file().native(),
         "--markdown",
         at("r.md"),
         "--json",
         at("r2.json"),
         "--junit",
         at("r.xml"),
         "--csv",
         at("r.csv"),
         "--html",
         at("deep/r.html")}
    );
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_THAT(text_of(at("r.md")), StartsWith("# Home tools"));
    EXPECT_EQ(text_of(at("r2.json")), text_of(file()));
    EXPECT_THAT(text_of(at("r.xml")), StartsWith("<?xml"));
    EXPECT_THAT(text_of(at("r.csv")), StartsWith("prompt,group"));
    EXPECT_THAT(text_of(at("deep/r.html")), StartsWith("<!doctype html>"));
}

TEST_F(ReportCommand, PrintsToTheTerminal) {
    auto program = punie({"report", file().native(), "--markdown", "-"});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.out(), report::render_markdown(report::sample_data()));
}

TEST_F(ReportCommand, FindsARunOfTheJournal) {
    const auto id = add_run("experiment", true);
    auto program = punie({"report", "--markdown", "-"});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_THAT(program.out(), StartsWith("# Home tools"));
    auto by_id = punie({"report", id, "--csv", "-"});
    EXPECT_EQ(by_id.wait(), 0);
    EXPECT_THAT(by_id.out(), HasSubstr("light-on"));
}

TEST_F(ReportCommand, SaysWhichRunsHaveAReport) {
    const auto with = add_run("experiment", true);
    const auto without = add_run("eval", false);
    auto program = punie({"report", without});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), HasSubstr("the run " + without + " has no report"));
    EXPECT_THAT(program.err(), HasSubstr("these have one: " + with));
}

TEST_F(ReportCommand, MakesNoJournalByLooking) {
    for (const auto& command : {"report", "view"}) {
        auto program = punie({command});
        EXPECT_EQ(program.wait(), 2);
        EXPECT_THAT(program.err(), HasSubstr("no journal here"));
    }
    EXPECT_FALSE(fs::exists(path() / ".punie"));
}

struct BadFile {
    const char* name;
    const char* text;
    const char* words;
};

TEST_F(ReportCommand, NamesWhatIsWrongWithAFile) {
    for (const auto& row : {
             BadFile{"broken.json", "{\"format\": ", "broken.json"},
             BadFile{"other.json", "{\"a\": 1}", "no report of Punie"},
             BadFile{
                 "bad.json",
                 R"({"format":"punie-report","version":1,"title":5})",
                 "/title: expected a text"
             },
         }) {
        std::ofstream(path() / row.name) << row.text;
        auto program = punie({"report", (path() / row.name).native()});
        EXPECT_NE(program.wait(), 0);
        EXPECT_THAT(program.err(), HasSubstr(row.words));
    }
    auto missing = punie({"report", "nothing.json"});
    EXPECT_EQ(missing.wait(), 2);
    EXPECT_THAT(missing.err(), HasSubstr("nothing.json: there is no such file"));
}

/// `punie view` on a free port.
class ViewCommand : public ReportCommand {
protected:
    void start() {
        program_.emplace(std::vector<std::string>{"view", "--port", "0", "--json"}, environment_);
        ASSERT_TRUE(program_->read_until_out_has("\n")) << program_->err();
        const auto url = string_member(program_->json_lines().at(0), "url").value_or("");
        ASSERT_THAT(url, StartsWith("http://127.0.0.1:"));
        port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
        host_ = fmt::format("127.0.0.1:{}", port_);
    }

    std::string get(const std::string& target) const { return ask(port_, target, host_); }

    std::optional<Program> program_;
    std::uint16_t port_ = 0;
    std::string host_;
};

TEST_F(ViewCommand, ListsRunsAndShowsReports) {
    const auto with = add_run("experiment", true);
    const auto without = add_run("eval", false);
    start();
    const auto list = get("/");
    EXPECT_THAT(list, HasSubstr("<a href=\"/report/" + with + "\">a &lt;name&gt;</a>"));
    EXPECT_THAT(list, HasSubstr("2 runs, 1 with a report"));
    const auto report = get("/report/" + with);
    EXPECT_THAT(report, HasSubstr("<title>Home tools</title>"));
    EXPECT_THAT(report, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(get("/report/" + without), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ViewCommand, SeesARunThatEndedMeanwhile) {
    add_run("eval", false);
    start();
    const auto later = add_run("experiment", true);
    EXPECT_THAT(get("/report/" + later), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ViewCommand, ShowsNothingElse) {
    add_run("experiment", true);
    std::ofstream(path() / "secret.txt") << "secret";
    start();
    for (const auto* target :
         {"/report/../../secret.txt",
          "/report/..%2f..%2fsecret.txt",
          "/report/",
          "/journal.db",
          "/report/%2fetc%2fpasswd",
          "/x"}) {
        const auto reply = get(target);
        EXPECT_THAT(reply, StartsWith("HTTP/1.1 404 ")) << target;
        EXPECT_THAT(reply, Not(HasSubstr("root:"))) << target;
    }
    EXPECT_THAT(ask(port_, "/", "evil.example"), StartsWith("HTTP/1.1 421 "));
    EXPECT_THAT(ask(port_, "/", host_, "POST"), StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(ask(port_, "/", host_, "DELETE"), HasSubstr("Allow: GET"));
}

TEST_F(ViewCommand, TellsThatAReportIsBroken) {
    const auto id = add_run("experiment", true);
    std::ofstream(path() / ".punie/runs" / id / "report.json") << "{";
    start();
    EXPECT_THAT(get("/report/" + id), StartsWith("HTTP/1.1 500 "));
}

TEST_F(ViewCommand, EndsAtCtrlC) {
    add_run("eval", false);
    start();
    program_->signal(SIGINT);
    EXPECT_EQ(program_->wait(), 0);
}

TEST_F(ViewCommand, SaysThatThePortIsTaken) {
    add_run("eval", false);
    start();
    auto second = punie({"view", "--port", std::to_string(port_)});
    EXPECT_NE(second.wait(), 0);
    EXPECT_THAT(second.err(), HasSubstr(fmt::format("port {} is in use", port_)));
}

}  // namespace

}  // namespace punie::cli
