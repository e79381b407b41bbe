#include "pipeline/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/backend.hpp"
#include "backend/chat_template.hpp"
#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/run_here.hpp"
#include "eval/response_file.hpp"
#include "openai/post.hpp"
#include "pipeline/ask_endpoint.hpp"
#include "pipeline/attempt.hpp"
#include "pipeline/identity.hpp"
#include "pipeline/kept_answers.hpp"

namespace punie::pipeline {

namespace {

using Clock = std::chrono::steady_clock;

/// How far the journal may be behind the file while answers come quickly.
constexpr auto journal_every = std::chrono::milliseconds(250);

/// The work of one `evaluate`, step by step.
class Evaluation {
public:
    Evaluation(
        const EvalJob& job, journal::Journal& journal, const EvalCalls& calls, std::stop_token stop
    )
        : job_(job), journal_(journal), calls_(calls), stop_(std::move(stop)) {}

    Result<EvalOutcome> perform() {
        progress("reading");
        if (auto done = read_suite(); !done) return std::unexpected(std::move(done).error());
        if (auto done = identify(); !done) return std::unexpected(std::move(done).error());
        if (auto done = make_plan(); !done) return std::unexpected(std::move(done).error());
        if (auto done = open_run(); !done) return failed(std::move(done).error());
        auto asked = all_are_there() ? Result<void>() : ask_all();
        if (!asked) return failed(std::move(asked).error());
        return finish();
    }

private:
    void progress(std::string_view phase) {
        state_.phase = phase;
        if (calls_.on_progress) calls_.on_progress(state_);
    }

    void note(const std::string& text) const {
        if (calls_.on_note) calls_.on_note(text);
    }

    Result<void> read_suite() {
        auto suite = eval::read_suite(job_.suite);
        if (!suite) return std::unexpected(std::move(suite).error());
        outcome_.suite = std::move(*suite);
        return {};
    }

    bool managed() const { return job_.server.backend() != BackendKind::openai; }

    /// Hashes of everything that decides an answer.
    Result<void> identify() {
        hashes_["suite"] = outcome_.suite.hash;
        hashes_["asked"] = outcome_.suite.asked_hash;
        if (!managed()) {
            backend_ = "endpoint " + job_.server.base_url();
            hashes_["backend"] = backend_;
            return {};
        }
        // Before anything that takes time: a model that is not there, an adapter that does not fit.
        const auto& served_by = backend::backend_for(job_.server.backend());
        if (auto there = served_by.check_files(job_.server, {}); !there) return there;
        auto model = job_.server.model_path();
        if (backend::is_hub_name(model)) {
            if (const auto cached = backend::cached_snapshot(model)) model = cached->string();
        }
        auto hash = content_hash(model);
        if (!hash) return std::unexpected(std::move(hash).error());
        hashes_["model"] = *hash;
        auto rendered = backend::template_hash(model, job_.server.extra_arguments());
        if (!rendered) return std::unexpected(std::move(rendered).error());
        hashes_["template"] = *rendered;
        if (const auto adapter = job_.server.adapter_path(); !adapter.empty()) {
            auto content = content_hash(adapter);
            if (!content) return std::unexpected(std::move(content).error());
            hashes_["adapter"] = *content;
            if (auto fits = check_trained_template(adapter, *rendered); !fits) return fits;
        }
        if (job_.server.backend() == BackendKind::mlx) {
            auto mlx = backend::find_mlx_blocking(job_.process.mlx_lm);
            if (!mlx) return std::unexpected(std::move(mlx).error());
            backend_ = "mlx_lm " + mlx->mlx_lm_version;
        } else {
            backend_ = name_of(job_.server.backend());
        }
        hashes_["backend"] = backend_;
        return {};
    }

    /// An adapter that was trained under another chat template answers another question.
    static Result<void> check_trained_template(
        const std::filesystem::path& adapter, const std::string& served
    ) {
        auto text = read_text(adapter / "punie.json");
        if (!text) return {};  // trained elsewhere: nothing is known
        const auto record = parse_json(*text);
        if (!record) return {};
        const auto* hashes = member(*record, "hashes");
        const auto trained =
            hashes == nullptr ? std::string() : string_member(*hashes, "template").value_or("");
        if (trained.empty() || trained == served) return {};
        return fail(
            ErrorCode::adapter_mismatch,
            fmt::format(
                "{}: the adapter was trained with another chat template ({}) than the one that "
                "would be served ({})",
                adapter.string(),
                short_hash(trained),
                served.empty() ? "none" : short_hash(served)
            ),
            "serve it with the template that it was trained with; a score under another one says "
            "nothing about the training"
        );
    }

    Result<void> make_plan() {
        auto options = job_.plan;
        if (managed()) {
            options.model = backend::backend_for(job_.server.backend()).request_model(job_.server);
        } else if (options.model.empty()) {
            auto name =
                run_here(openai::find_model_name(endpoint(job_.server)), stop_, "the evaluation");
            if (!name) return std::unexpected(std::move(name).error());
            options.model = *name;
        }
        if (options.request_defaults.empty())
            options.request_defaults = request_defaults(job_.server);
        auto plan = eval::make_plan(outcome_.suite, options);
        if (!plan) return std::unexpected(std::move(plan).error());
        plan_ = std::move(*plan);
        hashes_["sampling"] = plan_.sampling_hash;
        return {};
    }

    EndpointOptions endpoint(const ServerConfig& config) const {
        EndpointOptions options;
        options.base_url = config.base_url();
        options.api_key = job_.api_key;
        options.model = config.backend() == BackendKind::openai ? config.model_path() : "";
        const auto limit =
            std::chrono::milliseconds(static_cast<long>(job_.request_seconds * 1000));
        options.deadlines = {
            .connect = std::chrono::seconds(10),
            .first_token = limit,
            .between_tokens = limit,
            .total = limit
        };
        return options;
    }

    /// The same question to the same model has the same key: an unfinished run of it can go on.
    std::string key() const {
        if (!job_.key.empty()) return job_.key;
        Sha256 hash;
        for (const auto* name : {"asked", "model", "adapter", "template", "backend", "sampling"})
            hash.add_part(string_member(hashes_, name).value_or(""));
        for (const auto& request : plan_.requests) {
            hash.add_part(outcome_.suite.prompts[request.prompt].id);
            hash.add_part(std::to_string(request.sample));
        }
        return hash.hex();
    }

    Result<void> open_run() {
        auto run = fresh_or_unfinished();
        if (!run) return std::unexpected(std::move(run).error());
        outcome_.run = std::move(*run);
        auto folder = journal_.run_folder(outcome_.run.id);
        if (!folder) return std::unexpected(std::move(folder).error());
        outcome_.responses = job_.out.empty() ? *folder / "responses.jsonl" : job_.out;
        // The suite stays where it is until the outcome is handed out, after the last use of it.
        answers_.emplace(outcome_.suite, journal_, outcome_.run.id);
        if (auto opened = answers_->open(outcome_.responses); !opened) return opened;
        leave_out_finished();
        return {};
    }

    Result<journal::Run> fresh_or_unfinished() {
        const auto run_key = key();
        auto earlier = journal_.list({.kind = "eval", .key = run_key, .limit = 20});
        if (!earlier) return std::unexpected(std::move(earlier).error());
        const auto unfinished = std::ranges::find_if(*earlier, [this](const journal::Run& run) {
            return (run.state != journal::RunState::done || !job_.key.empty()) && !run.alive;
        });
        journal::Run run;
        if (unfinished != earlier->end()) {
            if (job_.resume) {
                run = *unfinished;
                seconds_before_ = asked_seconds(run);
            } else {
                note(fmt::format(
                    "{} asked the same and did not finish; --resume goes on with it", unfinished->id
                ));
            }
        } else if (job_.resume && job_.parent.empty()) {
            note("nothing to resume: no unfinished run asked the same; starting a new one");
        }
        describe(run, run_key);
        return journal_.begin(std::move(run));
    }

    void describe(journal::Run& run, const std::string& run_key) const {
        run.kind = "eval";
        run.name = job_.name.empty() ? default_name() : job_.name;
        run.key = run_key;
        run.parent = job_.parent;
        run.stage = job_.stage;
        run.config_json = to_text(config());
        run.hashes_json = to_text(hashes_);
        begin_attempt(run, job_.command);
    }

    json::object config() const {
        return {
            {"suite", std::filesystem::absolute(job_.suite).string()},
            {"suite_name", outcome_.suite.name},
            {"backend", name_of(job_.server.backend())},
            {"model", job_.server.model_path()},
            {"adapter", job_.server.adapter_path()},
            {"url", managed() ? "" : job_.server.base_url()},
            {"samplings", plan_.samplings},
            {"prompts", plan_.prompts},
            {"requests", plan_.requests.size()},
            {"concurrency", job_.runner.concurrency},
            {"request_seconds", job_.request_seconds}
        };
    }

    std::string default_name() const {
        const auto& path = job_.server.adapter_path().empty() ? job_.server.model_path()
                                                              : job_.server.adapter_path();
        auto name = std::filesystem::path(path).filename().string();
        if (name.empty()) name = std::filesystem::path(path).parent_path().filename().string();
        return name.empty() ? job_.server.base_url() : name;
    }

    /// What a run says of the time that it asked.
    static double asked_seconds(const journal::Run& run) {
        const auto results = parse_json(run.results_json);
        return results ? number_member(*results, "seconds").value_or(0) : 0;
    }

    void leave_out_finished() {
        requests_ = plan_.requests;
        const auto removed = std::erase_if(requests_, [&](const eval::PlannedRequest& request) {
            return answers_->is_finished(outcome_.suite.prompts[request.prompt].id, request.sample);
        });
        outcome_.resumed = removed;
    }

    bool all_are_there() const { return requests_.empty(); }

    /// With a server of ours around it when it is ours.
    Result<void> ask_all() {
        if (!managed()) return ask(job_.server);
        ServerProcess server(job_.server, job_.process);
        progress("starting the server");
        if (auto started = server.start(stop_); !started) return started;
        auto asked = ask(server.config());
        if (outcome_.counts.failed > 0 || !outcome_.ended_by.empty()) explain_death(server);
        progress("stopping");
        (void)server.stop();  // what it leaves is killed by its destructor
        return asked;
    }

    /// A server that died says more than the refused connections after it.
    void explain_death(ServerProcess& server) {
        if (server.is_running()) return;
        if (auto ended = server.wait(); !ended) {
            note("the server died: " + ended.error().describe());
            server_death_ = ended.error().message();
        }
    }

    Result<void> ask(const ServerConfig& config) {
        state_.phase = "asking";
        began_ = Clock::now();
        auto done = run_here(
            eval::run_requests(
                requests_,
                &outcome_.suite,
                ask_endpoint(endpoint(config)),
                job_.runner,
                {.on_record = [this](
                                  eval::ResponseRecord&& record, std::size_t prompt
                              ) { return keep(record, prompt); },
                 .on_progress = [this](const eval::RunnerProgress& runner) { show(runner); }}
            ),
            stop_,
            "the evaluation"
        );
        if (auto synced = answers_->sync(); !synced) return synced;
        if (!done) return std::unexpected(std::move(done).error());
        outcome_.concurrency = done->concurrency;
        outcome_.ended_by = done->ended_by;
        outcome_.seconds = done->seconds;
        return {};
    }

    Result<void> keep(const eval::ResponseRecord& record, std::size_t prompt) {
        if (auto kept = answers_->keep(record, prompt); !kept) return kept;
        const auto& sample = answers_->newest();
        if (record.state == eval::SampleState::answered || record.state == eval::SampleState::cut) {
            ++state_.judged;
            if (sample.passed) ++state_.passed;
            state_.score_sum += sample.score;
        } else {
            ++outcome_.counts.failed;
        }
        if (const auto now = Clock::now(); now - noted_ >= journal_every) {
            noted_ = now;
            return note_progress(now);
        }
        return {};
    }

    /// The answers so far and how long they took: a killed run goes on from there.
    Result<void> note_progress(Clock::time_point now) {
        if (auto written = answers_->to_journal(); !written) return written;
        auto& run = outcome_.run;
        const auto seconds = std::chrono::duration<double>(now - began_).count();
        run.results_json = to_text(json::object{{"seconds", seconds_before_ + seconds}});
        return journal_.update(run);
    }

    void show(const eval::RunnerProgress& runner) {
        state_.runner = runner;
        if (runner.done > 0) {
            state_.seconds_left = runner.seconds / static_cast<double>(runner.done) *
                                  static_cast<double>(runner.total - runner.done);
        }
        progress("asking");
    }

    /// Nothing could be asked: the run says why.
    Result<EvalOutcome> failed(Error error) {
        end_with(outcome_.run, error);
        // The first error is the one to report.
        if (answers_) (void)answers_->to_journal();
        (void)journal_.update(outcome_.run);
        return std::unexpected(std::move(error));
    }

    Result<EvalOutcome> finish() {
        auto scored = answers_->finish(plan_.requests);
        if (!scored) return failed(std::move(scored).error());
        outcome_.scored = std::move(*scored);
        outcome_.seconds += seconds_before_;
        // A kill may have kept the time from the journal: it was not less than the longest answer.
        for (const auto& sample : outcome_.scored.samples)
            outcome_.seconds = std::max(outcome_.seconds, sample.seconds);
        summarise(outcome_, outcome_.run.name);
        outcome_.table.source = outcome_.run.id;
        outcome_.table.identity.sampling_hash = plan_.sampling_hash;
        outcome_.table.identity.template_hash = string_member(hashes_, "template").value_or("");
        outcome_.table.identity.backend = backend_;
        return record();
    }

    Result<EvalOutcome> record() {
        auto& run = outcome_.run;
        run.results_json =
            eval_results_json(outcome_.counts, outcome_.accuracy, outcome_.score, outcome_.seconds);
        const auto unanswered = outcome_.counts.unanswered();
        run.state = journal::RunState::done;
        if (unanswered > 0) {
            run.state = outcome_.ended_by == "cancelled" ? journal::RunState::interrupted
                                                         : journal::RunState::failed;
            run.error = fmt::format(
                "{} of {} without an answer{}{}",
                unanswered,
                outcome_.scored.samples.size(),
                outcome_.ended_by.empty() ? "" : "; ended by " + outcome_.ended_by,
                server_death_.empty() ? "" : "; the server died: " + server_death_
            );
        }
        if (auto updated = journal_.update(run); !updated)
            return std::unexpected(std::move(updated).error());
        return std::move(outcome_);
    }

    const EvalJob& job_;
    journal::Journal& journal_;
    const EvalCalls& calls_;
    std::stop_token stop_;
    EvalOutcome outcome_;
    EvalProgress state_;
    json::object hashes_;
    std::string backend_;
    eval::Plan plan_;
    std::vector<eval::PlannedRequest> requests_;
    std::optional<KeptAnswers> answers_;
    Clock::time_point began_;
    Clock::time_point noted_ = Clock::now();
    double seconds_before_ = 0;  ///< that earlier attempts asked
    std::string server_death_;
};

}  // namespace

Result<EvalOutcome> evaluate(
    const EvalJob& job, journal::Journal& journal, const EvalCalls& calls, std::stop_token stop
) {
    return Evaluation(job, journal, calls, std::move(stop)).perform();
}

}  // namespace punie::pipeline
