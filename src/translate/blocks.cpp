#include "translate/blocks.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "openai/response.hpp"

namespace punie::translate {

namespace {

std::string made_id(std::string_view id, std::size_t place) {
    return fmt::format("call_{}_{}", id, place);
}

std::unexpected<Error> reported(const json::value& body, const std::string& message) {
    const auto* error = member(body, "error");
    const auto code = error == nullptr ? std::nullopt : integer_member(*error, "code");
    const bool is_status = code && *code >= 400 && *code < 600;
    return std::unexpected(
        Error(ErrorCode::http_status, "the server reported an error: " + printable(message))
            .with_http_status(is_status ? static_cast<int>(*code) : 500)
    );
}

/// vLLM says which stop string it was in `stop_reason`, llama-server in `stopping_word`.
std::string stop_sequence_of(const json::value& choice) {
    for (const std::string_view name : {"stop_reason", "matched_stop", "stopping_word"}) {
        if (auto text = string_member(choice, name); text && !text->empty()) return *text;
    }
    return {};
}

std::int64_t count(const json::value& usage, std::string_view name) {
    return integer_member(usage, name).value_or(0);
}

const json::value* first_choice(const json::array& choices) {
    for (const auto& choice : choices) {
        if (choice.is_object() && integer_member(choice, "index").value_or(0) == 0) return &choice;
    }
    return nullptr;
}

Block call_block(const json::value& entry, std::string_view id, std::size_t place) {
    Block block{.kind = BlockKind::call};
    block.id = string_member(entry, "id").value_or("");
    if (block.id.empty()) block.id = made_id(id, place);
    const auto* function = member(entry, "function");
    if (function == nullptr) return block;
    block.name = string_member(*function, "name").value_or("");
    block.text = openai::arguments_of(*function);
    return block;
}

}  // namespace

std::optional<TokenCounts> token_counts(const json::value& completion) {
    const auto* usage = member(completion, "usage");
    if (usage == nullptr || !usage->is_object()) return std::nullopt;
    TokenCounts tokens{
        .prompt = count(*usage, "prompt_tokens"),
        .completion = count(*usage, "completion_tokens"),
    };
    if (const auto* details = member(*usage, "prompt_tokens_details"))
        tokens.cached = count(*details, "cached_tokens");
    if (const auto* details = member(*usage, "completion_tokens_details"))
        tokens.reasoning = count(*details, "reasoning_tokens");
    return tokens;
}

Result<WholeAnswer> read_completion(const json::object& completion, std::string_view id) {
    const json::value body(completion);
    const auto* choices = member(body, "choices");
    if (choices == nullptr || !choices->is_array()) {
        if (const auto message = openai::error_message_in(body)) return reported(body, *message);
        return fail(ErrorCode::protocol, "the server's answer has no choices");
    }
    const auto* choice = first_choice(choices->get_array());
    const auto* message = choice == nullptr ? nullptr : member(*choice, "message");
    if (message == nullptr || !message->is_object())
        return fail(ErrorCode::protocol, "the server's answer has no choice with a message");
    WholeAnswer answer;
    if (auto text = openai::reasoning_of(*message); !text.empty())
        answer.blocks.push_back({.kind = BlockKind::thinking, .text = std::move(text)});
    if (auto text = openai::content_of(*message); !text.empty())
        answer.blocks.push_back({.kind = BlockKind::text, .text = std::move(text)});
    if (const auto* calls = member(*message, "tool_calls"); calls != nullptr && calls->is_array()) {
        std::size_t place = 0;
        for (const auto& call : calls->get_array())
            answer.blocks.push_back(call_block(call, id, place++));
    }
    answer.finish_reason = string_member(*choice, "finish_reason").value_or("stop");
    answer.stop_sequence = stop_sequence_of(*choice);
    answer.tokens = token_counts(body).value_or(TokenCounts{});
    return answer;
}

json::object arguments_object(std::string_view text) {
    if (trim(text).empty()) return {};
    auto parsed = parse_json(text);
    if (parsed && parsed->is_object()) return std::move(parsed->get_object());
    return {{"raw_arguments", text}};
}

Result<std::vector<BlockEvent>> BlockReader::feed(std::string_view data) {
    const auto parsed = parse_json(data);
    if (!parsed || !parsed->is_object()) {
        return fail(
            ErrorCode::protocol,
            fmt::format(
                "the server's stream holds an event that is no chunk: `{}`",
                printable(data.substr(0, 200))
            )
        );
    }
    const auto* choices = member(*parsed, "choices");
    if (choices == nullptr || !choices->is_array()) {
        if (const auto message = openai::error_message_in(*parsed))
            return reported(*parsed, *message);
    }
    if (const auto tokens = token_counts(*parsed)) tokens_ = *tokens;
    Events events;
    if (choices == nullptr || !choices->is_array()) return events;
    const auto* choice = first_choice(choices->get_array());
    if (choice == nullptr) return events;
    const auto* delta = member(*choice, "delta");
    if (delta == nullptr) delta = member(*choice, "message");  // servers that send it whole
    if (delta != nullptr && delta->is_object()) take_delta(*delta, events);
    if (auto reason = string_member(*choice, "finish_reason"); reason && !reason->empty())
        finish_reason_ = *std::move(reason);
    if (auto word = stop_sequence_of(*choice); !word.empty()) stop_sequence_ = std::move(word);
    return events;
}

void BlockReader::take_delta(const json::value& delta, Events& events) {
    take_text(BlockKind::thinking, openai::reasoning_of(delta), events);
    take_text(BlockKind::text, openai::content_of(delta), events);
    const auto* calls = member(delta, "tool_calls");
    if (calls == nullptr || !calls->is_array()) return;
    for (const auto& piece : calls->get_array()) {
        if (piece.is_object()) take_call(piece, events);
    }
    advance(events);
}

void BlockReader::take_text(BlockKind kind, const std::string& text, Events& events) {
    if (text.empty()) return;
    end_calls(events);
    if (open_ && open_->kind != kind) end_block(events);
    if (!open_) begin({.kind = kind}, events);
    more(text, events);
}

/// Pieces name their call by `index`. Some servers leave it out, and some give every whole call
/// index 0: a new id and name under a known index is a new call.
std::size_t BlockReader::place_of(const json::value& piece) {
    const auto* function = member(piece, "function");
    const auto id = string_member(piece, "id").value_or("");
    const bool named =
        function != nullptr && !string_member(*function, "name").value_or("").empty();
    const auto index = integer_member(piece, "index");
    const auto fresh = [this] {
        calls_.emplace_back();
        calls_.back().block.kind = BlockKind::call;
        return calls_.size() - 1;
    };
    if (!index) return calls_.empty() || named ? fresh() : calls_.size() - 1;
    const auto known = places_.find(*index);
    const bool another =
        known != places_.end() && named && !id.empty() && id != calls_[known->second].block.id;
    if (known != places_.end() && !another) return known->second;
    return places_[*index] = fresh();
}

void BlockReader::take_call(const json::value& piece, Events& events) {
    const auto place = place_of(piece);
    auto& call = calls_[place];
    if (call.ended) return;  // text came between: what follows has no place any more
    auto& block = call.block;
    const bool begun = call_open_ && place == current_;
    if (auto id = string_member(piece, "id"); id && !id->empty() && !begun)
        block.id = *std::move(id);
    const auto* function = member(piece, "function");
    if (function == nullptr) return;
    if (auto name = string_member(*function, "name"); name && !name->empty() && !begun)
        block.name = *std::move(name);
    auto arguments = openai::arguments_of(*function);
    block.text += arguments;
    if (begun && !arguments.empty()) more(std::move(arguments), events);
}

/// Begins the call whose turn it is, and goes on to the next when the server has done so and this
/// one's arguments are whole.
void BlockReader::advance(Events& events) {
    while (current_ < calls_.size()) {
        const auto& call = calls_[current_];
        if (!call_open_) {
            if (call.block.name.empty()) return;  // a name may still come
            begin_call(events);
        }
        const bool last = current_ + 1 == calls_.size();
        if (last || (!trim(call.block.text).empty() && !parse_json(call.block.text))) return;
        end_block(events);
    }
}

void BlockReader::begin(Block block, Events& events) {
    open_ = block;
    events.push_back({BlockEvent::Type::begin, {}, std::move(block)});
}

void BlockReader::begin_call(Events& events) {
    if (open_) end_block(events);
    auto& block = calls_[current_].block;
    if (block.id.empty()) block.id = made_id(id_, current_);
    begin({.kind = BlockKind::call, .id = block.id, .name = block.name}, events);
    call_open_ = true;
    if (!block.text.empty()) more(block.text, events);
}

void BlockReader::more(std::string text, Events& events) {
    if (kept_ == Kept::all || open_->kind == BlockKind::call) open_->text += text;
    events.push_back({BlockEvent::Type::more, std::move(text), {}});
}

void BlockReader::end_block(Events& events) {
    if (std::exchange(call_open_, false)) calls_[current_++].ended = true;
    if (kept_ == Kept::all) done_.push_back(*open_);
    events.push_back({BlockEvent::Type::end, {}, *std::exchange(open_, std::nullopt)});
}

/// Ends all calls, whole or not: something else follows.
void BlockReader::end_calls(Events& events) {
    while (current_ < calls_.size()) {
        if (!call_open_) begin_call(events);
        end_block(events);
    }
}

std::vector<BlockEvent> BlockReader::finish() {
    Events events;
    end_calls(events);
    if (open_) end_block(events);
    return events;
}

}  // namespace punie::translate
