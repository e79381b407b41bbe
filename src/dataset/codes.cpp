#include "dataset/codes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace punie::dataset {

namespace {

constexpr auto error = Severity::error;
constexpr auto warning = Severity::warning;
constexpr auto note = Severity::note;
constexpr bool repaired = true;

// clang-format off: a table, one code a row
constexpr std::array codes = {
    // Files
    CodeInfo{"D101", error, "no training file", "mlx_lm stops: it wants train.jsonl in the folder", "add train.jsonl, or make splits with punie dataset split"},
    CodeInfo{"D102", error, "empty file", "mlx_lm stops with IndexError: list index out of range", "fill the file, or remove it if it is valid.jsonl or test.jsonl"},
    CodeInfo{"D103", error, "misnamed file", "mlx_lm reads train.jsonl, valid.jsonl and test.jsonl only; this file is passed over without a word", "rename the file"},
    CodeInfo{"D104", warning, "no validation file", "training goes on without validation: overfitting is not seen, no best checkpoint can be chosen", "punie dataset split makes one"},
    CodeInfo{"D105", error, "fewer rows than a batch", "mlx_lm stops: training at once, validation at iteration 1", "add rows or take a smaller --batch-size"},
    CodeInfo{"D106", error, "file cannot be read", "mlx_lm stops", "look at its permissions"},
    CodeInfo{"D107", error, "a JSON document, not JSON lines", "mlx_lm reads one JSON object a line and stops at the first", "punie dataset convert reads it"},
    CodeInfo{"D108", error, "not a text file", "mlx_lm stops with UnicodeDecodeError", "unpack it, or save it as UTF-8"},
    CodeInfo{"D109", warning, "validation larger than training", "the smaller part of the data is trained on; perhaps the files were swapped", "swap the files, or punie dataset split"},
    CodeInfo{"D110", error, "byte order mark", "mlx_lm stops: JSONDecodeError, unexpected UTF-8 BOM", "save without BOM", repaired},
    CodeInfo{"D111", error, "blank line", "mlx_lm stops: JSONDecodeError, expecting value", "remove the line", repaired},
    CodeInfo{"D112", error, "line too long", "a row of this size is no conversation; the check does not look into it", "split the row"},
    // JSON
    CodeInfo{"D120", error, "bad JSON", "mlx_lm stops with JSONDecodeError and names neither file nor line", "correct the line"},
    CodeInfo{"D121", error, "not UTF-8", "mlx_lm stops with UnicodeDecodeError", "save the file as UTF-8 (iconv -f latin1 -t utf-8)"},
    CodeInfo{"D122", error, "control character inside a string", "mlx_lm stops: JSONDecodeError, invalid control character", "write it as an escape (\\n, \\t)", repaired},
    CodeInfo{"D123", error, "duplicate key", "the last of the two wins without a word; the other is not trained", "keep one"},
    CodeInfo{"D124", warning, "NaN or Infinity", "Python accepts it, other tools do not, and the model learns to write it", "write null or a number"},
    CodeInfo{"D125", error, "half of a surrogate pair", "the tokenizer stops with TypeError when the row is first drawn, perhaps after hours", "write the whole character"},
    CodeInfo{"D126", error, "nested too deep", "Python's reader gives up", "flatten the row"},
    CodeInfo{"D127", error, "row is no object", "mlx_lm stops or takes it for something else", "write {\"messages\": ...} or {\"prompt\": ..., \"completion\": ...}"},
    CodeInfo{"D129", error, "several JSON values in a line", "mlx_lm stops: JSONDecodeError, extra data", "one object a line", repaired},
    // Formats
    CodeInfo{"D201", error, "unknown format", "mlx_lm stops: unsupported data format, or KeyError when the row is first drawn", "write messages, prompt and completion, or text"},
    CodeInfo{"D202", error, "formats mixed in a file", "the first row decides; mlx_lm stops with KeyError when this row is first drawn, perhaps after hours", "one format a file: punie dataset convert"},
    CodeInfo{"D203", error, "two formats in a row", "mlx_lm takes prompt and completion and passes messages over without a word", "keep one"},
    CodeInfo{"D204", error, "misspelled key", "mlx_lm stops with KeyError, or passes it over without a word", "correct the key"},
    CodeInfo{"D205", error, "ShareGPT format", "mlx_lm does not read it", "punie dataset convert IN OUT"},
    CodeInfo{"D206", error, "Alpaca format", "mlx_lm does not read it", "punie dataset convert IN OUT"},
    CodeInfo{"D207", error, "another tool's format", "mlx_lm does not read it", "punie dataset convert IN OUT (preference pairs keep the chosen answer)"},
    CodeInfo{"D208", warning, "files in different formats", "training and validation see different texts: their losses do not compare", "one format for all files: punie dataset convert"},
    CodeInfo{"D209", error, "field of the wrong type", "the tokenizer stops when the row is first drawn, or the value is printed into the text", "write a string"},
    CodeInfo{"D210", error, "empty field", "nothing is left to train on, or the model learns to say nothing", "fill it or remove the row"},
    CodeInfo{"D211", error, "text rows cannot be masked", "mlx_lm stops: prompt masking is not supported for text", "drop --mask-prompt, or write prompt and completion"},
    CodeInfo{"D212", warning, "old function-calling fields", "chat templates know tools and tool_calls; functions and function_call are passed over", "punie dataset convert"},
    CodeInfo{"D213", warning, "weight is passed over", "mlx_lm trains on messages with weight 0 as on all others", "remove the rows, or cut the conversation before them"},
    // Conversations
    CodeInfo{"D301", error, "no messages", "mlx_lm stops when the row is first drawn, or trains on a bare template", "remove the row"},
    CodeInfo{"D302", error, "messages of the wrong type", "mlx_lm stops when the row is first drawn", "a list of {\"role\", \"content\"} objects"},
    CodeInfo{"D303", error, "message without a role", "the template stops or prints an empty role", "add the role"},
    CodeInfo{"D304", error, "unknown role", "most templates print it as it is: the model learns a role that no server sends", "system, user, assistant or tool"},
    CodeInfo{"D305", warning, "system message not first", "some templates stop, others move or drop it", "put it first"},
    CodeInfo{"D306", warning, "two turns of one role in a row", "templates that insist on alternation stop (Mistral, Gemma); a server never sends it so", "join the two, or insert the missing turn"},
    CodeInfo{"D307", error, "last message is not the assistant's", "the model is trained to write what the user or a tool says", "end the row with the assistant's answer"},
    CodeInfo{"D308", warning, "conversation begins with the assistant", "nothing asked for this answer; some templates stop", "add the user's message"},
    CodeInfo{"D309", error, "no assistant message", "nothing to learn from", "remove the row"},
    CodeInfo{"D310", error, "content missing", "the template stops, or prints None into the text", "add the content"},
    CodeInfo{"D311", error, "empty assistant message", "the model learns to say nothing", "remove the message or the row"},
    CodeInfo{"D312", error, "content is not a string", "it is printed into the text as Python writes it, or the template stops", "write a string"},
    CodeInfo{"D313", error, "content in parts", "templates of text models print the list as Python writes it", "join the text parts to one string", repaired},
    CodeInfo{"D314", warning, "empty user message", "the answer follows nothing", "remove the row"},
    CodeInfo{"D319", warning, "system prompt in a part of the rows", "the model learns two behaviours, and serving shows one of them by chance", "give all rows the prompt that serving will use, or none"},
    CodeInfo{"D320", warning, "answer begins with a role's name", "the model learns to write the label itself", "remove the label"},
    CodeInfo{"D321", warning, "thinking in a part of the rows", "whether the model thinks becomes chance", "all rows with <think> or none"},
    CodeInfo{"D322", warning, "system prompts that differ by a hair", "the same prompt in several spellings; serving will use one", "one spelling"},
    // Tools
    CodeInfo{"D401", error, "tools declared wrongly", "the template prints it as it is, or stops; the model never sees such a declaration when serving", "a list of {\"type\": \"function\", \"function\": {\"name\", \"description\", \"parameters\"}}"},
    CodeInfo{"D402", error, "parameters are no JSON schema", "arguments cannot be checked, servers refuse the tool", "correct the schema"},
    CodeInfo{"D403", warning, "tool declared twice", "the model sees two tools of one name", "keep one"},
    CodeInfo{"D404", error, "tool call of the wrong form", "the template stops or prints it as it is", "{\"id\", \"type\": \"function\", \"function\": {\"name\", \"arguments\"}}"},
    CodeInfo{"D405", error, "call of an undeclared tool", "the model learns to call what does not exist", "declare the tool or correct the name"},
    CodeInfo{"D406", error, "calls without declared tools", "the prompt of training shows no tools, that of serving does", "add tools to the row"},
    CodeInfo{"D407", error, "arguments do not fit the tool's schema", "the model learns wrong arguments", "correct the arguments or the schema"},
    CodeInfo{"D408", error, "arguments are no object", "no server accepts such a call", "write an object"},
    CodeInfo{"D409", error, "arguments are no JSON", "the model learns to write broken JSON", "correct the string"},
    CodeInfo{"D410", error, "arguments as strings and as objects", "one of the two is trained double-encoded or stops the template", "one form: punie dataset convert --arguments object", repaired},
    CodeInfo{"D411", warning, "arguments as strings", "templates that write them with tojson train double-encoded calls; others stop", "objects: punie dataset convert --arguments object", repaired},
    CodeInfo{"D412", error, "tool result without a call", "the model learns that results come from nowhere; some templates stop", "add the call or remove the result"},
    CodeInfo{"D413", error, "call without a result", "the conversation goes on as if the tool had answered: the model learns to make results up", "add the tool's message"},
    CodeInfo{"D414", error, "tool_call_id of no call", "the result belongs to nothing", "take the id of the call"},
    CodeInfo{"D415", warning, "two calls with one id", "results cannot be told apart", "give each call its own"},
    CodeInfo{"D417", warning, "preambles before some tool calls", "whether a call begins with prose becomes chance, and parsers that want the call first miss it", "all calls with a preamble or none"},
    CodeInfo{"D418", error, "tool call written into the content", "other rows have tool_calls: the model learns two ways to call", "move the call into tool_calls"},
    CodeInfo{"D420", note, "tool never called", "the model sees it and never learns to use it", "add rows that call it"},
    CodeInfo{"D421", error, "tool calls of another role", "the template prints them in the wrong place or nowhere", "only the assistant calls tools"},
    CodeInfo{"D422", warning, "one tool name, several definitions", "the model learns a mixture", "one definition"},
    // Text
    CodeInfo{"D501", error, "special token of a chat template in the text", "the tokenizer makes a control token of it: the turn ends in the middle of the text", "remove it; the template writes them"},
    CodeInfo{"D502", warning, "invisible character", "it becomes tokens that nobody types: the model learns to write them", "remove it", repaired},
    CodeInfo{"D503", warning, "mojibake", "UTF-8 was read as Latin-1: the model learns to write garbage", "decode once more (ftfy), or take the text from its source"},
    CodeInfo{"D504", warning, "space at the border of a text", "tokens carry the space in front of a word: the border in training is none that serving ever makes", "trim it", repaired},
    CodeInfo{"D505", warning, "replacement character", "the character was lost when the text was decoded", "take the text from its source"},
    CodeInfo{"D506", warning, "control character", "it becomes tokens that nobody types (terminal codes, form feeds)", "remove it", repaired},
    CodeInfo{"D507", warning, "carriage return", "line ends of Windows become tokens of their own, in a part of the rows", "\\n alone", repaired},
    CodeInfo{"D508", warning, "NUL character", "many tools end the text there", "remove it", repaired},
    CodeInfo{"D510", warning, "line ends written as \\n", "the text was escaped twice: the model learns to write a backslash and an n", "decode once more"},
    CodeInfo{"D511", warning, "code block without an end", "the answer was cut: the model learns to stop in the middle", "complete the answer or remove the row"},
    // Duplicates and leaks
    CodeInfo{"D601", error, "row in two files", "the model is tested on what it was trained on: the score means nothing", "remove it from one (punie dataset split keeps them apart)"},
    CodeInfo{"D602", error, "row in two files, but for case, space or punctuation", "the model is tested on what it was trained on", "remove it from one"},
    CodeInfo{"D603", warning, "nearly the same row in two files", "the test measures memory more than ability", "keep near-duplicates together: punie dataset split"},
    CodeInfo{"D604", warning, "same prompt in two files", "the model was trained on the question of a test", "remove it from one"},
    CodeInfo{"D605", warning, "duplicate row", "it counts twice in training", "remove it", repaired},
    CodeInfo{"D606", warning, "duplicate row, but for case, space or punctuation", "it counts twice in training", "remove one"},
    CodeInfo{"D607", note, "nearly the same row twice", "it counts nearly twice in training", "remove one, or write more varied rows"},
    CodeInfo{"D608", note, "same prompt, different answers", "the model learns a mixture; good if variety is wanted, bad if one answer is right", "keep the better answer"},
    // Lengths and balance
    CodeInfo{"D701", warning, "row over the length limit", "its end is cut, which is the answer and the token that ends it", "raise --max-seq-length or shorten the row"},
    CodeInfo{"D702", error, "nothing to train on is left", "the loss is 0/0: a batch of such rows makes every weight of the adapter NaN, with exit code 0", "raise --max-seq-length or remove the row"},
    CodeInfo{"D703", note, "much padding", "mlx_lm does not sort by length: most of the computation is for padding", "sort the rows by length"},
    CodeInfo{"D704", warning, "one tool has nearly all calls", "the model learns to call it whatever is asked", "add rows for the others"},
    CodeInfo{"D705", note, "rows left over", "rows after the last full batch are never trained, in no epoch", "remove or add rows, or take another --batch-size"},
    CodeInfo{"D706", warning, "every row calls a tool", "the model is never shown when not to call", "add rows that answer without a tool"},
    CodeInfo{"D707", warning, "one answer in many rows", "the model learns to say it whatever is asked", "remove rows, or write more varied answers"},
    CodeInfo{"D708", warning, "answers of very different lengths", "a few long answers have most of the trained tokens", "cap the long ones or raise the share of short ones"},
    // Secrets
    CodeInfo{"D801", error, "private key", "the model may print it for anybody", "remove it, and replace the key"},
    CodeInfo{"D802", error, "API key", "the model may print it for anybody", "remove it, and revoke the key"},
    CodeInfo{"D803", error, "password in an address", "the model may print it for anybody", "remove it, and change the password"},
    CodeInfo{"D804", note, "e-mail address", "personal data, which the model may print", "replace it by a made-up one"},
    // With a model
    CodeInfo{"D901", error, "the template refuses the row", "mlx_lm stops when the row is first drawn, perhaps after hours", "correct the row, or take another template"},
    CodeInfo{"D902", error, "training and serving render the prompt differently", "the model is trained on a prompt that no server ever sends, and the mask starts at the wrong token", "make the template render both alike (thinking blocks, generation prompt)"},
    CodeInfo{"D903", error, "last trained token does not end the answer", "the model never learns to stop", "a template that ends the assistant's turn with an end token of the model"},
    CodeInfo{"D904", error, "model without a chat template", "mlx_lm stops when the first row is drawn", "take the instruct model, or add chat_template.jinja"},
    CodeInfo{"D905", error, "served with another template", "what was trained is not what is asked", "train with the template that serves"},
    CodeInfo{"D906", error, "arguments double-encoded by the template", "the model learns calls whose arguments are a JSON string", "objects: punie dataset convert --arguments object", repaired},
    CodeInfo{"D907", warning, "two begin tokens", "template and tokenizer both add one; serving adds one", "remove it from the template"},
};
// clang-format on

}  // namespace

std::string_view name_of(Severity severity) {
    static constexpr std::array names = {"error", "warning", "note"};
    return names.at(static_cast<std::size_t>(severity));
}

std::span<const CodeInfo> all_codes() {
    return codes;
}

const CodeInfo& code_info(std::string_view code) {
    const auto found = std::ranges::lower_bound(codes, code, {}, &CodeInfo::code);
    PUNIE_ASSERT(found != codes.end() && found->code == code, "the code is in the table");
    return *found;
}

std::string codes_as_markdown() {
    std::string text =
        "# Findings of `punie dataset validate`\n\n"
        "Made from the table in `src/dataset/codes.cpp`; a unit test holds the two together. A "
        "code "
        "never changes its\nmeaning and is never used again. error: training stops or trains on "
        "the "
        "wrong thing (exit code 1); warning: it\nprobably hurts (exit code 1 with `--strict`); "
        "note: "
        "good to know.\n\n"
        "| code | severity | what | why it hurts | what to do | `--fix` "
        "|\n|---|---|---|---|---|---|\n";
    for (const auto& row : codes) {
        text += fmt::format(
            "| {} | {} | {} | {} | {} | {} |\n",
            row.code,
            name_of(row.severity),
            row.title,
            row.why,
            row.fix,
            row.repairable ? "yes" : ""
        );
    }
    return text;
}

}  // namespace punie::dataset
