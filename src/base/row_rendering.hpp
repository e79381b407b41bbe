#pragma once
// Rows of training data as a model's own tokenizer and chat template see them: the interface
// between dataset/, which checks rows and knows no processes, and backend/, which asks a Python
// child.

#include <punie/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace punie {

/// What was learnt about the model before its first row.
struct ModelFacts {
    std::string name;
    bool has_template = false;
    bool serving_differs = false;   ///< a serving template was given and its text is another one
    std::vector<std::int64_t> eos;  ///< ids that end an answer
    std::vector<std::string> eos_texts;
};

/// A run of tokens that are all trained or all not.
struct RenderedPiece {
    std::string text;
    bool trained = false;
    bool cut = false;  ///< beyond max_seq_length: the trainer never sees it
    std::size_t tokens = 0;
};

struct RenderedRow {
    std::size_t file = 0;  ///< index into RenderRequest::files
    std::size_t line = 0;  ///< from 1
    std::size_t keys = 0;  ///< members of the row's object
    std::string
        error;  ///< why the tokenizer or its template refused the row; the rest is empty then
    std::size_t tokens = 0;
    std::size_t offset = 0;   ///< first trained token as mlx_lm counts it (0 without --mask-prompt)
    std::size_t trained = 0;  ///< tokens that the loss sees within max_seq_length
    bool prompt_differs = false;  ///< the serving prompt is no prefix of the training text
    std::string
        training_text;  ///< both only if prompt_differs: from a little before the difference
    std::string serving_text;
    bool ends_with_eos = true;
    std::string last_token;
    bool double_bos = false;
    bool double_encoded = false;        ///< tool arguments came out as a JSON string in a JSON text
    std::vector<RenderedPiece> pieces;  ///< only if asked for
};

struct RenderRequest {
    std::vector<std::filesystem::path> files{};
    std::vector<std::size_t> lines{};  ///< of the first file; empty: all lines of all files
    bool mask_prompt = false;
    std::size_t max_seq_length = 2048;
    bool pieces = false;
};

class RowRenderer {
public:
    RowRenderer() = default;
    RowRenderer(const RowRenderer&) = delete;
    RowRenderer& operator=(const RowRenderer&) = delete;
    virtual ~RowRenderer() = default;

    using OnFacts = std::function<void(const ModelFacts&)>;
    using OnRow = std::function<void(const RenderedRow&)>;

    /// Calls `on_facts` once, then `on_row` for every row in order; lines that are no JSON objects
    /// are left out. Blocks. Errors: program_missing, model_invalid, exited, cancelled.
    virtual Result<void> render(
        const RenderRequest& request, const OnFacts& on_facts, const OnRow& on_row
    ) = 0;
};

}  // namespace punie
