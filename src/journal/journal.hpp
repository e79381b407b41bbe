#pragma once
// The SQLite store of runs under a project's .punie/ folder. Knows rows, not what a run means:
// configuration, results and environment are JSON texts of whoever made the run.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punie::journal {

enum class RunState {
    running,  ///< its process lives, or died without a word (see Run::alive)
    done,
    failed,
    interrupted,
};
std::string_view name_of(RunState state);

/// One recorded execution. Times are seconds since 1970 (UTC). Texts that end in _json are JSON.
struct Run {
    std::string id;    ///< "eval-7f3a9c2e", unique in the journal; made by `begin`
    std::string kind;  ///< bench, train, fuse, quantise, eval, compare, experiment, dataset
    std::string name;  ///< for people: the variant, the experiment
    RunState state = RunState::running;
    double started = 0;
    double finished = 0;  ///< 0: not yet
    std::string command;  ///< as typed, shell-quoted
    std::string folder;   ///< the working folder it was typed in; `begin` fills it when empty
    std::string punie_version;
    std::string config_json = "{}";       ///< resolved settings, enough to run it again
    std::string hashes_json = "{}";       ///< model, adapter, data, suite, template ...
    std::string environment_json = "{}";  ///< machine, OS, versions of the tools
    std::string results_json = "{}";      ///< summary figures
    std::string error;                    ///< of failed
    std::string note;                     ///< a person's
    std::string parent;                   ///< id of the experiment's run; "" if none
    std::string stage;                    ///< stage of the experiment
    std::string key;                      ///< content hash of inputs and settings; "" if none
    std::int64_t pid = 0;                 ///< of the process that runs it
    bool alive = false;  ///< filled in when read: state running and that process lives
};

/// The judgement of one sample; a row a sample.
struct AnswerRow {
    std::string prompt;
    int sample = 0;
    std::string group;
    std::string category;
    std::string state;  ///< answered, cut, refused, failed
    double score = 0;
    bool passed = false;
    bool unparsed = false;
    std::string reason;
    double seconds = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
};

/// One report of a training: a point of its curves.
struct TrainingPoint {
    std::int64_t iteration = 0;
    std::optional<double> train_loss;
    std::optional<double> valid_loss;
    double tokens_per_second = 0;
    double peak_memory_gb = 0;
    double seconds = 0;  ///< since the run began
};

struct Filter {
    std::string kind;    ///< "" all
    std::string parent;  ///< "" all
    std::string key;     ///< "" all
    std::optional<RunState> state;
    std::size_t limit = 0;  ///< newest first; 0: all
};

/// One connection; several processes and threads may each have one (one thread at a time uses it).
/// Every write is its own transaction (WAL), durable against SIGKILL at any moment; waits up to 10
/// s for another writer. Errors of every call: io (names the file), disk_full, not_found, state
/// (made by a newer Punie), invalid_argument (a text that must be JSON and is not, a score that is
/// NaN).
class Journal {
public:
    /// Opens or makes `folder`/journal.db, migrating an older schema. The folder is made if
    /// missing. A journal that cannot be written is opened for reading; writes then fail with io.
    static Result<Journal> open(const std::filesystem::path& folder);

    Journal(Journal&&) noexcept;
    Journal& operator=(Journal&&) noexcept;
    ~Journal();

    const std::filesystem::path& folder() const;

    /// Records a run that begins now: fills id, started, pid. `run.id` may be given to reopen one:
    /// it keeps its start and note, `finished` and `error` are emptied. Errors: state when another
    /// living process has that run, not_found.
    Result<Run> begin(Run run);
    /// Writes the run's texts and state again but for id, kind, started, pid and the person's note;
    /// `finished` is set (to now where it is 0) unless it is still running.
    Result<void> update(const Run& run);

    /// Replaces the row of the same prompt and sample.
    Result<void> add_answer(const std::string& run, const AnswerRow& answer);
    /// All in one transaction, replacing rows of the same prompt and sample.
    Result<void> add_answers(const std::string& run, const std::vector<AnswerRow>& answers);
    /// Adds to the point of the same iteration what this one has: training and validation loss are
    /// reported apart. A later value of the same loss replaces the earlier (a resumed training). A
    /// loss that is NaN or infinite is kept as it is.
    Result<void> add_point(const std::string& run, const TrainingPoint& point);

    /// By id, unique prefix of an id or of its random part, or reference: "@last" (newest eval),
    /// "@last-train" (newest of that kind), "@baseline" (the one marked so), "@~2" (third newest
    /// eval), "@last-train~2". Errors: not_found naming near ids, invalid_argument for an ambiguous
    /// prefix.
    Result<Run> find(std::string_view reference);
    Result<std::vector<Run>> list(const Filter& filter = {});
    /// In the order of prompt ids and samples, whatever the order of arrival.
    Result<std::vector<AnswerRow>> answers(const std::string& run);
    /// In the order of iterations.
    Result<std::vector<TrainingPoint>> points(const std::string& run);

    Result<void> set_note(const std::string& run, std::string_view note);
    /// Marks the run as the one that "@baseline" means.
    Result<void> set_baseline(const std::string& run);
    /// Id of the marked run, "" if none.
    Result<std::string> baseline_id();

    /// Removes the run, its rows and its folder. Errors: state while its process lives.
    Result<void> remove(const std::string& run);
    /// Bytes of the run's rows and of its folder, about.
    Result<std::uint64_t> stored_bytes(const std::string& run);
    /// Gives the space of removed runs back to the file system.
    Result<void> compact();

    /// Folder for the run's files (responses.jsonl, report.html); made if missing.
    Result<std::filesystem::path> run_folder(const std::string& run);

private:
    struct Impl;
    explicit Journal(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The nearest .punie/ folder from `start` upwards, as git looks for .git; `start`/.punie when
/// there is none. $PUNIE_JOURNAL overrides.
std::filesystem::path find_journal_folder(const std::filesystem::path& start);

}  // namespace punie::journal
