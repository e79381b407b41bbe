#include "gateway/asked.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.hpp"
#include "relay/turns.hpp"

namespace punie::gateway {

namespace {

constexpr std::size_t piece = 64 * 1024;

std::string json_text(std::string_view text) {
    return json::serialize(json::string(text));
}

/// What speaks against sending this body to this server: a member that would make it open files.
std::optional<Error> names_files(const BodyTop& top, const fleet::Lease& lease) {
    for (const auto name : lease.file_members()) {
        const auto* member = top.find(name);
        if (member == nullptr || member->text == "null") continue;
        return Error(
                   ErrorCode::invalid_argument,
                   fmt::format(
                       "{}: the server of {} would load whatever it names; a request may not set "
                       "it",
                       name,
                       lease.served_name()
                   )
        )
            .with_hint("adapters are models of their own: \"model\": \"base:adapter\"");
    }
    return std::nullopt;
}

}  // namespace

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the caller's, who waits
Task<Result<BodyTop>> scan(const relay::Body& body) {
    BodyScan scan;
    if (body.in_memory()) {
        if (auto fed = scan.feed(body.text()); !fed)
            co_return std::unexpected(std::move(fed).error());
        co_return scan.end();
    }
    relay::Turns turns;
    for (std::uint64_t at = 0; at < body.size(); at += piece) {
        auto bytes = body.read(at, piece);
        if (!bytes) co_return std::unexpected(std::move(bytes).error());
        if (auto fed = scan.feed(*bytes); !fed) co_return std::unexpected(std::move(fed).error());
        if (turns.over(bytes->size())) co_await relay::let_others_run();
    }
    co_return scan.end();
}

Result<std::string> whole_text(const relay::Body& body) {
    if (body.in_memory()) return body.text();
    return body.read(0, body.size());
}

Task<std::optional<Asked>> read_scanned(Visit& visit) {
    auto body = co_await visit.exchange().read_body();
    if (!body) {
        visit.note(std::string(name_of(body.error().code())), body.error().message());
        co_return std::nullopt;
    }
    visit.record().bytes_in = body->size();
    auto top = co_await scan(*body);
    if (!top) {
        Refused refused{.status = 400, .code = "invalid_json", .error = std::move(top).error()};
        if (refused.error.code() == ErrorCode::io) refused.status = 500;
        co_await visit.refuse(std::move(refused));
        co_return std::nullopt;
    }
    co_return Asked{.body = *std::move(body), .top = *std::move(top)};
}

Task<std::optional<Asked>> read_asked(Visit& visit) {
    auto scanned = co_await read_scanned(visit);
    if (!scanned) co_return std::nullopt;
    auto& asked = *scanned;
    auto model = asked.top.text("model");
    if (!model || model->empty()) {
        co_await visit.refuse(
            {.status = 400,
             .code = "missing_model",
             .error = Error(
                          ErrorCode::invalid_argument,
                          asked.top.find("model") == nullptr
                              ? "model: the body names none; a text is expected"
                              : "model: what the body names is no text"
             )
                          .with_hint("GET /v1/models lists the models there are")}
        );
        co_return std::nullopt;
    }
    asked.model = *std::move(model);
    asked.stream = asked.top.is_true("stream");
    visit.record().stream = asked.stream;
    co_return scanned;
}

std::vector<std::pair<std::string, std::string>> wanted_values(
    const fleet::Lease& lease, const BodyTop& top
) {
    std::vector<std::pair<std::string, std::string>> values;
    const auto& model = lease.request_model();
    if (!model.empty() && top.text("model") != model) {
        values.emplace_back("model", json_text(model));
    }
    if (const auto& adapter = lease.adapter(); !adapter.empty()) {
        values.emplace_back("adapters", json_text(adapter.string()));
    }
    for (const auto& [name, text] : lease.defaults()) {
        if (!lease.model().sampling_overridable || top.find(name) == nullptr) {
            values.emplace_back(name, text);
        }
    }
    return values;
}

Result<relay::Body> body_for(
    const relay::Body& body, const BodyTop& top, const fleet::Lease& lease
) {
    if (auto error = names_files(top, lease)) return std::unexpected(*std::move(error));
    return body.spliced(splices_for(top, wanted_values(lease, top)));
}

}  // namespace punie::gateway
