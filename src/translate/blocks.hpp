#pragma once
// A server's answer as a row of blocks: thinking, text, calls. From a whole message or from the
// chunks of a stream, in which blocks follow each other and never overlap, whatever the server
// sent.

#include <punie/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::translate {

enum class BlockKind { thinking, text, call };

/// One block of an answer.
struct Block {
    BlockKind kind = BlockKind::text;
    std::string text;  ///< of calls: the arguments as JSON text
    std::string id;    ///< of calls: the server's, or one made
    std::string name;  ///< of calls
};

/// What a stream does to its blocks.
struct BlockEvent {
    enum class Type { begin, more, end };
    Type type = Type::more;
    std::string text;  ///< of more
    Block block{};     ///< begin: without its text; end: with what was kept of it
};

/// Tokens, as far as the server says them.
struct TokenCounts {
    std::int64_t prompt = 0;
    std::int64_t completion = 0;
    std::int64_t cached = 0;     ///< of the prompt
    std::int64_t reasoning = 0;  ///< of the completion
};

/// `usage` of a completion or chunk; nothing if it has none.
std::optional<TokenCounts> token_counts(const json::value& completion);

/// A whole chat.completion's first choice.
struct WholeAnswer {
    std::vector<Block> blocks;
    std::string finish_reason;  ///< "stop" if the server said none
    std::string stop_sequence;  ///< which one ended it, as far as the server says
    TokenCounts tokens;
};

/// `id`: for calls without one. Errors: protocol (no choice, no message), http_status (the server
/// reports an error under status 200).
Result<WholeAnswer> read_completion(const json::object& completion, std::string_view id);

/// Arguments as an object; what is none comes as {"raw_arguments": text}, so that the tool's caller
/// sees the model's mistake instead of nothing.
json::object arguments_object(std::string_view text);

/// What a stream's reader keeps of blocks that have been told piece by piece.
enum class Kept {
    calls,  ///< calls until they end: a stream of any length needs no memory
    all,    ///< everything, for protocols that say it all again at the end
};

/// Takes the chunks of one stream. Calls whose pieces the server mixes are put in a row.
class BlockReader {
public:
    /// `id`: for calls without one.
    explicit BlockReader(std::string id, Kept kept = Kept::calls)
        : id_(std::move(id)), kept_(kept) {}

    /// Errors: protocol (not JSON, not an object), http_status (the server reports an error).
    Result<std::vector<BlockEvent>> feed(std::string_view data);
    /// Ends what is open, once.
    std::vector<BlockEvent> finish();

    /// "stop" until another one comes.
    const std::string& finish_reason() const { return finish_reason_; }

    const std::string& stop_sequence() const { return stop_sequence_; }

    const TokenCounts& tokens() const { return tokens_; }

    /// What came so far, in order; empty if not all is kept.
    const std::vector<Block>& blocks() const { return done_; }

private:
    using Events = std::vector<BlockEvent>;

    struct Call {
        Block block;  // its text: what came so far
        bool ended = false;
    };

    void take_delta(const json::value& delta, Events& events);
    void take_text(BlockKind kind, const std::string& text, Events& events);
    void take_call(const json::value& piece, Events& events);
    std::size_t place_of(const json::value& piece);
    void advance(Events& events);
    void begin(Block block, Events& events);
    void begin_call(Events& events);
    void more(std::string text, Events& events);
    void end_block(Events& events);
    void end_calls(Events& events);

    std::string id_;
    Kept kept_;
    std::string finish_reason_ = "stop";
    std::string stop_sequence_;
    TokenCounts tokens_;
    std::optional<Block> open_;  // the block that grows
    std::vector<Call> calls_;    // in the order in which they came
    std::size_t current_ = 0;    // calls before it have ended; it is open, if it has begun
    bool call_open_ = false;
    std::map<std::int64_t, std::size_t> places_;  // the server's index -> latest call under it
    std::vector<Block> done_;
};

}  // namespace punie::translate
