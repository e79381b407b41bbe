#pragma once
// The model's name in an answer, where the server was asked by a name that no client should see.

#include <cstddef>
#include <string>
#include <string_view>

namespace punie::translate {

/// Gives every member "model" whose value is a text another text; all other bytes stay as they are.
/// In a string of the answer the quotes would have backslashes: it is never taken for a member.
/// mlx_lm.server must be asked by a model's path where a request names an adapter (the name
/// "default_model" makes it use the command line's, 0.32.2), and says that path in every answer.
class Renamer {
public:
    explicit Renamer(std::string_view name);

    /// Bytes of an answer or of a stream, in any chunking → bytes for the client.
    std::string feed(std::string_view bytes);

private:
    enum class State { outside, colon, value, dropping, escaped };

    std::string quoted_;
    State state_ = State::outside;
    std::size_t matched_ = 0;  // bytes of the member's name
    char before_ = 0;
};

}  // namespace punie::translate
