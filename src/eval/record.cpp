#include "eval/record.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/files.hpp"
#include "base/text.hpp"

namespace punie::eval {

namespace {

constexpr std::array<std::pair<SampleState, std::string_view>, 5> state_names = {{
    {SampleState::answered, "answered"},
    {SampleState::cut, "cut"},
    {SampleState::refused, "refused"},
    {SampleState::failed, "failed"},
    {SampleState::not_asked, "not_asked"},
}};

std::unexpected<Error> wrong(std::string_view field, std::string_view expected) {
    return fail(ErrorCode::protocol, fmt::format("`{}`: expected {}", field, expected));
}

/// An OpenAI response with that text, for answers that are nothing but text.
json::value response_of(std::string_view text) {
    return {
        {"choices",
         json::array{
             {{"index", 0},
              {"message", {{"role", "assistant"}, {"content", text}}},
              {"finish_reason", "stop"}}
         }}
    };
}

std::string finish_reason_of(const json::value& response) {
    const auto* choices = member(response, "choices");
    const auto* list = choices == nullptr ? nullptr : choices->if_array();
    if (list == nullptr || list->empty()) return {};
    return string_member(list->front(), "finish_reason").value_or("");
}

SampleState state_of(const json::value& response) {
    if (response.is_null()) return SampleState::failed;
    return finish_reason_of(response) == "length" ? SampleState::cut : SampleState::answered;
}

/// Text, or a number as text: others count their prompts.
std::optional<std::string> id_member(const json::object& object, std::string_view name) {
    const auto* found = object.if_contains(name);
    if (found == nullptr) return std::nullopt;
    if (found->is_string()) return std::string(found->get_string());
    if (found->is_int64()) return fmt::format("{}", found->get_int64());
    return std::nullopt;
}

/// Reads the fields that every form may have.
Result<void> read_common(json::object& object, ResponseRecord& record) {
    if (auto* sample = object.if_contains("sample")) {
        const auto* number = sample->if_int64();
        if (number == nullptr || *number < 0 || *number > 1'000'000)
            return wrong("sample", "a whole number from 0");
        record.sample = static_cast<int>(*number);
    }
    if (auto* seconds = object.if_contains("seconds")) {
        if (!seconds->is_number()) return wrong("seconds", "a number");
        record.seconds = seconds->to_number<double>();
    }
    if (auto* attempts = object.if_contains("attempts")) {
        const auto* number = attempts->if_int64();
        if (number == nullptr || *number < 0 || *number > 1'000'000)
            return wrong("attempts", "a whole number from 0");
        record.attempts = static_cast<int>(*number);
    }
    if (auto* suite = object.if_contains("suite")) {
        if (!suite->is_string()) return wrong("suite", "text (a hash)");
        record.suite_hash = std::string(suite->get_string());
    }
    if (auto* request = object.if_contains("request"); request != nullptr && !request->is_null()) {
        if (!request->is_object()) return wrong("request", "the body that was sent (an object)");
        record.request = std::move(request->get_object());
    }
    return {};
}

/// {"message": "..."} or text.
Result<std::string> error_text(const json::value& error) {
    if (error.is_null()) return std::string{};
    if (error.is_string()) return std::string(error.get_string());
    if (auto message = string_member(error, "message")) return *std::move(message);
    if (error.is_object()) return to_text(error);
    return wrong("error", "text");
}

/// The answer under `response`, or as text under `answer`, `output` or `completion`.
Result<void> read_answer_of(json::object& object, ResponseRecord& record) {
    if (auto* response = object.if_contains("response")) {
        if (response->is_string())
            record.response = response_of(response->get_string());
        else if (response->is_object() || response->is_null())
            record.response = std::move(*response);
        else
            return wrong("response", "an OpenAI response (an object), text or null");
        return {};
    }
    for (const auto* name : {"answer", "output", "completion"}) {
        const auto* text = object.if_contains(name);
        if (text == nullptr) continue;
        if (!text->is_string()) return wrong(name, "text");
        record.response = response_of(text->get_string());
        return {};
    }
    return {};
}

Result<void> read_state(const json::object& object, ResponseRecord& record) {
    if (const auto* error = object.if_contains("error")) {
        auto text = error_text(*error);
        if (!text) return std::unexpected(std::move(text).error());
        record.error = *std::move(text);
    }
    const auto* state = object.if_contains("state");
    if (state == nullptr) {
        record.state = state_of(record.response);
        const bool nothing = record.response.is_null() && record.error.empty();
        if (nothing)
            return wrong("response", "an answer, or `error` with the reason why there is none");
        return {};
    }
    const auto named =
        state->is_string() ? sample_state_from(state->get_string()) : std::optional<SampleState>{};
    if (!named) return wrong("state", "answered, cut, refused, failed or not_asked");
    record.state = *named;
    const bool judged = *named == SampleState::answered || *named == SampleState::cut;
    if (judged && record.response.is_null()) return wrong("response", "an answer, as `state` says");
    return {};
}

/// "light-on#2" is sample 2 of light-on: batch output has no field for it.
void split_sample(ResponseRecord& record) {
    const auto mark = record.prompt_id.rfind('#');
    if (mark == std::string::npos || mark == 0 || record.prompt_id.size() - mark > 7) return;
    const auto digits = std::string_view(record.prompt_id).substr(mark + 1);
    int sample = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sample);
    if (error != std::errc{} || end != digits.data() + digits.size() || sample < 0) return;
    record.sample = sample;
    record.prompt_id.resize(mark);
}

/// A line of OpenAI's batch output: the answer is the body inside `response`.
Result<ResponseRecord> from_batch(json::object& object) {
    ResponseRecord record;
    const auto id = id_member(object, "custom_id");
    if (!id || id->empty()) return wrong("custom_id", "the id of a prompt (text)");
    record.prompt_id = *id;
    split_sample(record);
    auto* response = object.if_contains("response");
    auto* wrapped = response == nullptr ? nullptr : response->if_object();
    const auto status =
        wrapped == nullptr ? 0 : integer_member(*response, "status_code").value_or(200);
    auto* body = wrapped == nullptr ? nullptr : wrapped->if_contains("body");
    if (body != nullptr && body->is_object() && status < 400) {
        record.response = std::move(*body);
        record.state = state_of(record.response);
        return record;
    }
    const auto* error = object.if_contains("error");
    if ((error == nullptr || error->is_null()) && body != nullptr) error = member(*body, "error");
    auto text = error == nullptr ? Result<std::string>("") : error_text(*error);
    if (!text) return std::unexpected(std::move(text).error());
    const bool refused = status >= 400 && status < 500 && status != 408 && status != 429;
    record.state = refused ? SampleState::refused : SampleState::failed;
    record.error = text->empty() ? fmt::format("HTTP status {}", status) : *std::move(text);
    return record;
}

Result<json::object> object_from(std::string_view line) {
    json::error_code error;
    auto value = json::parse(line, error);
    if (error)
        return fail(
            ErrorCode::protocol,
            error == json::error::incomplete
                ? std::string("not valid JSON: it ends in the middle of a value")
                : fmt::format("not valid JSON: {}", error.message())
        );
    auto* object = value.if_object();
    if (object == nullptr)
        return fail(ErrorCode::protocol, "expected a record (a JSON object with `prompt`)");
    return std::move(*object);
}

/// A file's bytes in lines; memory holds one piece and the longest line.
class LineReader {
public:
    explicit LineReader(int descriptor) : descriptor_(descriptor) {}

    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    ~LineReader() { ::close(descriptor_); }

    /// The next line without its end; nothing at the end of the file. `ended`: it had a line end.
    Result<std::optional<std::string_view>> next(bool& ended) {
        while (true) {
            const auto end = buffer_.find('\n', searched_);
            if (end != std::string::npos) {
                ended = true;
                return take(end, end + 1);
            }
            searched_ = buffer_.size();
            if (auto more = fill(); !more) return std::unexpected(std::move(more).error());
            if (!at_end_) continue;
            ended = false;
            if (begin_ == buffer_.size()) return std::nullopt;
            return take(buffer_.size(), buffer_.size());
        }
    }

private:
    std::optional<std::string_view> take(std::size_t end, std::size_t next) {
        const auto line = std::string_view(buffer_).substr(begin_, end - begin_);
        begin_ = next;
        searched_ = next;
        return line;
    }

    Result<void> fill() {
        constexpr std::size_t piece = std::size_t{1} << 20U;
        constexpr std::size_t longest_line = std::size_t{256} << 20U;
        buffer_.erase(0, begin_);
        searched_ -= begin_;
        begin_ = 0;
        if (buffer_.size() > longest_line)
            return fail(ErrorCode::protocol, "a line of more than 256 MiB");
        const auto used = buffer_.size();
        buffer_.resize(used + piece);
        ssize_t got = -1;
        do got = ::read(descriptor_, buffer_.data() + used, piece);
        while (got < 0 && errno == EINTR);
        const int reason = errno;
        buffer_.resize(used + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0) return std::unexpected(errno_error(reason, "read"));
        at_end_ = got == 0;
        return {};
    }

    int descriptor_;
    std::string buffer_;
    std::size_t begin_ = 0;
    std::size_t searched_ = 0;
    bool at_end_ = false;
};

}  // namespace

std::string_view name_of(SampleState state) {
    return std::ranges::find(state_names, state, &std::pair<SampleState, std::string_view>::first)
        ->second;
}

std::optional<SampleState> sample_state_from(std::string_view name) {
    const auto* found =
        std::ranges::find(state_names, name, &std::pair<SampleState, std::string_view>::second);
    if (found == state_names.end()) return std::nullopt;
    return found->first;
}

std::string to_line(const ResponseRecord& record) {
    // written member by member: neither request nor response is copied
    return fmt::format(
        R"({{"suite":{},"prompt":{},"sample":{},"state":"{}","request":{},"response":{},"error":{},"seconds":{},"attempts":{}}})",
        json::serialize(json::string_view(record.suite_hash)),
        json::serialize(json::string_view(record.prompt_id)),
        record.sample,
        name_of(record.state),
        json::serialize(record.request),
        json::serialize(record.response),
        json::serialize(json::string_view(record.error)),
        record.seconds,
        record.attempts
    );
}

Result<ResponseRecord> parse_record(std::string_view line) {
    auto object = object_from(line);
    if (!object) return std::unexpected(std::move(object).error());
    if (object->contains("custom_id")) return from_batch(*object);
    ResponseRecord record;
    auto id = id_member(*object, "prompt");
    if (!id) id = id_member(*object, "prompt_id");
    if (!id) id = id_member(*object, "id");
    if (!id || id->empty()) return wrong("prompt", "the id of a prompt (text)");
    record.prompt_id = *std::move(id);
    if (auto read = read_common(*object, record); !read)
        return std::unexpected(std::move(read).error());
    if (auto read = read_answer_of(*object, record); !read)
        return std::unexpected(std::move(read).error());
    if (auto read = read_state(*object, record); !read)
        return std::unexpected(std::move(read).error());
    return record;
}

Result<void> read_records(
    const std::filesystem::path& file,
    const std::function<Result<void>(ResponseRecord&&, std::size_t line)>& on_record,
    bool* torn
) {
    if (torn != nullptr) *torn = false;
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return std::unexpected(errno_error(errno, fmt::format("cannot read {}", file.native())));
    LineReader lines(descriptor);
    bool ended = true;
    for (std::size_t number = 1;; ++number) {
        const auto next = lines.next(ended);
        if (!next) return std::unexpected(Error(next.error()).in(file.native()));
        if (!*next) return {};
        auto line = **next;
        if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
        line = trim(line);
        if (line.empty()) continue;
        auto record = parse_record(line);
        if (!record && !ended) {
            // a writer was killed in the middle of it
            if (torn != nullptr) *torn = true;
            return {};
        }
        if (!record)
            return std::unexpected(
                std::move(record).error().in(fmt::format("{}:{}", file.native(), number))
            );
        if (auto taken = on_record(*std::move(record), number); !taken) return taken;
    }
}

}  // namespace punie::eval
