#pragma once
// Every command's entry: adds its sub-command to the tree and registers what runs it.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library names it so
class App;
}

namespace punie::cli {

/// What runs which sub-command.
class Commands {
public:
    using Run = std::function<ExitCode(Terminal&)>;

    void on(const CLI::App* command, Run run) { runs_[command] = std::move(run); }

    const Run* find(const CLI::App* command) const {
        const auto found = runs_.find(command);
        return found == runs_.end() ? nullptr : &found->second;
    }

private:
    std::map<const CLI::App*, Run> runs_;
};

void add_serve(CLI::App& app, Commands& commands);
void add_ps(CLI::App& app, Commands& commands);
void add_load(CLI::App& app, Commands& commands);
void add_unload(CLI::App& app, Commands& commands);
void add_logs(CLI::App& app, Commands& commands);
void add_events(CLI::App& app, Commands& commands);
void add_top(CLI::App& app, Commands& commands);
void add_up(CLI::App& app, Commands& commands);
void add_down(CLI::App& app, Commands& commands);
void add_service(CLI::App& app, Commands& commands);
void add_chat(CLI::App& app, Commands& commands);
void add_bench(CLI::App& app, Commands& commands);
void add_train(CLI::App& app, Commands& commands);
void add_fuse(CLI::App& app, Commands& commands);
void add_quantise(CLI::App& app, Commands& commands);
void add_suite(CLI::App& app, Commands& commands);
void add_eval(CLI::App& app, Commands& commands);
void add_score(CLI::App& app, Commands& commands);
void add_compare(CLI::App& app, Commands& commands);
void add_run(CLI::App& app, Commands& commands);
void add_init(CLI::App& app, Commands& commands);
void add_journal(CLI::App& app, Commands& commands);
void add_report(CLI::App& app, Commands& commands);
void add_view(CLI::App& app, Commands& commands);
void add_dataset(CLI::App& app, Commands& commands);
void add_doctor(CLI::App& app, Commands& commands);
void add_completions(CLI::App& app, Commands& commands);

/// The command line as the person typed it, shell-quoted, for the journal: `punie eval ...`.
const std::string& typed_command();

/// The whole program: parses, runs, returns the exit code.
int run_punie(std::vector<std::string> arguments);

}  // namespace punie::cli
