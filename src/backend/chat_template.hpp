#pragma once
// The chat template that a model folder carries, and the identity of what is served with it.

#include <punie/error.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace punie::backend {

/// Text of the folder's chat template: chat_template.jinja, chat_template.json or the
/// `chat_template` of tokenizer_config.json (the one named "default" of a list), in the order in
/// which transformers looks. "" when it has none. Errors: model_invalid (a file that is no JSON),
/// io.
Result<std::string> read_chat_template(const std::filesystem::path& folder);

/// SHA-256 over the template and what a server's arguments change about it (--chat-template,
/// --chat-template-args, --use-default-chat-template, --chat-template-file, --jinja). "" when the
/// folder has no template: nothing is known then.
Result<std::string> template_hash(
    const std::filesystem::path& folder, const std::vector<std::string>& server_arguments
);

}  // namespace punie::backend
