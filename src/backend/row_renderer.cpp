#include "backend/row_renderer.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "base/awaitable.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/run_here.hpp"
#include "process/child.hpp"

namespace punie::backend {

namespace {

constexpr std::size_t shown_lines = 10;

std::size_t count_member(const json::value& value, std::string_view name) {
    const auto number = integer_member(value, name).value_or(0);
    return number < 0 ? 0 : static_cast<std::size_t>(number);
}

ModelFacts facts_from(const json::value& event, const std::string& model) {
    ModelFacts facts;
    facts.name = model;
    facts.has_template = bool_member(event, "has_template").value_or(false);
    facts.serving_differs = bool_member(event, "serving_differs").value_or(false);
    if (const auto* ids = member(event, "eos"); ids != nullptr && ids->is_array()) {
        for (const auto& id : ids->get_array()) {
            if (id.is_int64()) facts.eos.push_back(id.get_int64());
        }
    }
    if (const auto* texts = member(event, "eos_texts"); texts != nullptr && texts->is_array()) {
        for (const auto& text : texts->get_array()) {
            if (text.is_string()) facts.eos_texts.emplace_back(text.get_string());
        }
    }
    return facts;
}

RenderedRow row_from(const json::value& event) {
    RenderedRow row;
    row.file = count_member(event, "file");
    row.line = count_member(event, "line");
    row.keys = count_member(event, "keys");
    row.error = string_member(event, "error").value_or("");
    row.tokens = count_member(event, "tokens");
    row.offset = count_member(event, "offset");
    row.trained = count_member(event, "trained");
    row.prompt_differs = bool_member(event, "prompt_differs").value_or(false);
    row.training_text = string_member(event, "training_text").value_or("");
    row.serving_text = string_member(event, "serving_text").value_or("");
    row.ends_with_eos = bool_member(event, "ends_with_eos").value_or(true);
    row.last_token = string_member(event, "last_token").value_or("");
    row.double_bos = bool_member(event, "double_bos").value_or(false);
    row.double_encoded = bool_member(event, "double_encoded").value_or(false);
    const auto* pieces = member(event, "pieces");
    if (pieces == nullptr || !pieces->is_array()) return row;
    for (const auto& piece : pieces->get_array()) {
        row.pieces.push_back(
            {.text = string_member(piece, "text").value_or(""),
             .trained = bool_member(piece, "trained").value_or(false),
             .cut = bool_member(piece, "cut").value_or(false),
             .tokens = count_member(piece, "tokens")}
        );
    }
    return row;
}

struct Calls {
    const RowRenderer::OnFacts& on_facts;
    const RowRenderer::OnRow& on_row;
    std::size_t files = 0;
};

/// Takes the child's lines until it has said "end".
class Conversation {
public:
    Conversation(std::string model, Calls calls) : model_(std::move(model)), calls_(calls) {}

    Result<void> take(const std::string& line) {
        const auto event = parse_json(line);
        const auto kind = event ? string_member(*event, "event") : std::nullopt;
        if (!kind) return fail(ErrorCode::protocol, "render_rows.py wrote a line that is no event");
        if (kind == "error") {
            return fail(
                ErrorCode::model_invalid,
                fmt::format(
                    "the tokenizer of {} cannot be loaded: {}",
                    model_,
                    string_member(*event, "message").value_or("")
                )
            );
        }
        if (kind == "model") calls_.on_facts(facts_from(*event, model_));
        if (kind == "end") ended_ = true;
        if (kind != "row") return {};
        const auto row = row_from(*event);
        if (row.file >= calls_.files)
            return fail(ErrorCode::protocol, "render_rows.py named a file that was not asked for");
        calls_.on_row(row);
        return {};
    }

    bool ended() const { return ended_; }

private:
    std::string model_;
    Calls calls_;
    bool ended_ = false;
};

json::value request_json(const RowRendererOptions& options, const RenderRequest& request) {
    json::array files;
    for (const auto& file : request.files)
        files.emplace_back(std::filesystem::absolute(file).native());
    json::array lines;
    for (const auto line : request.lines) lines.emplace_back(line);
    json::value serving_template = nullptr;
    if (options.serving_template) serving_template = json::string(*options.serving_template);
    return {
        {"model", options.model},
        {"files", std::move(files)},
        {"lines", std::move(lines)},
        {"mask_prompt", request.mask_prompt},
        {"max_seq_length", request.max_seq_length},
        {"pieces", request.pieces},
        {"serving_template", std::move(serving_template)},
        {"serving_model", options.serving_model},
    };
}

/// `conversation` outlives the coroutine: `render` owns both.
Task<Result<void>> talk(std::vector<std::string> argv, Conversation* conversation) {
    process::SpawnOptions spawn;
    spawn.argv = std::move(argv);
    spawn.events = true;
    spawn.environment = {{"TOKENIZERS_PARALLELISM", "false"}, {"PYTHONUNBUFFERED", "1"}};
    auto child = co_await process::ManagedChild::spawn(std::move(spawn));
    if (!child) co_return std::unexpected(std::move(child).error());
    while (auto line = co_await child->next_event()) {
        if (auto taken = conversation->take(*line); !taken) {
            co_await child->stop(Milliseconds{500});
            co_return taken;
        }
    }
    const auto status = co_await child->wait_exit();
    if (conversation->ended()) co_return Result<void>{};
    co_return std::unexpected(
        Error(ErrorCode::exited, "the tokenizer's process ended before it had rendered all rows")
            .with_exit_status(status.describe())
            .with_log(child->output().last_lines(shown_lines))
    );
}

class PythonRenderer final : public RowRenderer {
public:
    explicit PythonRenderer(RowRendererOptions options) : options_(std::move(options)) {}

    Result<void> render(const RenderRequest& request, const OnFacts& on_facts, const OnRow& on_row)
        override {
        if (auto there = model_is_there(); !there) return there;
        const auto mlx = find_mlx_blocking(options_.mlx_lm);
        if (!mlx) return std::unexpected(mlx.error());
        const auto script = python_asset("render_rows.py");
        if (!script) return std::unexpected(script.error());
        const auto folder = TemporaryFolder::make("punie-render");
        if (!folder) return std::unexpected(folder.error());
        const auto asked = folder->path() / "request.json";
        if (auto written = write_atomic(asked, to_text(request_json(options_, request))); !written)
            return written;
        Conversation conversation(options_.model, {on_facts, on_row, request.files.size()});
        return run_here(
            talk({mlx->python.native(), script->native(), asked.native()}, &conversation),
            options_.stop,
            "rendering"
        );
    }

private:
    /// Named before mlx_lm is looked for, which is not what is wrong then.
    Result<void> model_is_there() const {
        if (is_hub_name(options_.model)) return {};
        const auto model = read_model(options_.model);
        const bool missing = !model && model.error().code() == ErrorCode::not_found;
        return missing ? Result<void>(std::unexpected(model.error())) : Result<void>{};
    }

    RowRendererOptions options_;
};

}  // namespace

std::unique_ptr<RowRenderer> make_row_renderer(RowRendererOptions options) {
    return std::make_unique<PythonRenderer>(std::move(options));
}

}  // namespace punie::backend
