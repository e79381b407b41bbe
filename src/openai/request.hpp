#pragma once
// A ChatRequest as the body of POST /chat/completions. Pure.

#include <punie/chat.hpp>

#include <map>
#include <string>

namespace punie::openai {

struct BodyOptions {
    std::string model;  ///< used when the request names none
    bool stream = false;
    std::map<std::string, std::string>
        defaults;  ///< fields (JSON text) for what the request leaves open
};

/// The JSON text. `extra` and `defaults` are passed on byte for byte (no number changes its
/// digits). Errors: invalid_argument naming the field: text that is not UTF-8, a number that is not
/// finite, an `extra` or default value that is not JSON, an `extra` field that the request sets as
/// well ("extra.temperature: ...").
Result<std::string> build_request_body(const ChatRequest& request, const BodyOptions& options);

/// Whether each value of `fields` is one JSON text. Errors: invalid_argument naming `where` and the
/// field.
Result<void> check_json_fields(
    const std::map<std::string, std::string>& fields, const std::string& where
);

}  // namespace punie::openai
