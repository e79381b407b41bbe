#pragma once
// A run of requests against a server, and what came of it.

#include <punie/chat.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "eval/runner.hpp"
#include "integration/http/loop.hpp"
#include "openai/post.hpp"
#include "unit/eval/made_suite.hpp"

namespace punie::eval {

inline Task<Asked> ask_once(openai::ChatPost post, std::string body) {
    auto outcome = co_await post.send(std::move(body));
    Asked asked{.status = outcome.status, .body = std::move(outcome.body)};
    if (outcome.error) {
        asked.failure = outcome.error->message();
        asked.timed_out = outcome.error->code() == ErrorCode::timeout;
        asked.cancelled = outcome.error->code() == ErrorCode::cancelled;
    } else if (outcome.status > 299) {
        asked.failure = fmt::format("status {}: {}", outcome.status, asked.body);
    }
    const auto& after = outcome.retry_after;
    long seconds = 0;
    if (std::from_chars(after.data(), after.data() + after.size(), seconds).ec == std::errc())
        asked.retry_after = std::chrono::seconds(seconds);
    co_return asked;
}

inline Ask ask_at(const std::string& url, Milliseconds limit = Milliseconds(10'000)) {
    EndpointOptions options;
    options.base_url = url;
    options.deadlines.first_token = limit;
    options.deadlines.total = limit;
    return [post = openai::ChatPost(options)](std::string body) {
        return ask_once(post, std::move(body));
    };
}

/// One run; waits between attempts are short, as the fakes are quick.
struct Asking {
    Suite suite = made_suite(0);
    Ask ask;
    RunnerOptions options{
        .concurrency = 8,
        .attempts = {.first_wait = Milliseconds(2), .longest_wait = Milliseconds(20)}
    };
    std::function<Result<void>(const ResponseRecord&)> on_record;
    std::vector<ResponseRecord> records;
    std::vector<RunnerProgress> progress;
    test::Loop loop;

    Result<RunnerOutcome> run(std::vector<PlannedRequest> requests) {
        return loop.run(run_requests(
            std::move(requests),
            &suite,
            ask,
            options,
            {.on_record =
                 [this](ResponseRecord&& record, std::size_t prompt) {
                     EXPECT_EQ(suite.prompts.at(prompt).id, record.prompt_id);
                     records.push_back(std::move(record));
                     return on_record ? on_record(records.back()) : Result<void>();
                 },
             .on_progress = [this](const RunnerProgress& now) { progress.push_back(now); }}
        ));
    }

    Result<RunnerOutcome> run() { return run(make_plan(suite, {.model = "fake"})->requests); }

    std::size_t count(SampleState state) const {
        return static_cast<std::size_t>(std::ranges::count(records, state, &ResponseRecord::state));
    }
};

}  // namespace punie::eval
