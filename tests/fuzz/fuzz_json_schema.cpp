// A schema and a value, {"schema": ..., "value": ...}: whatever they are, it ends, and says
// something where it says no.
#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/json_schema.hpp"
#include "fuzz_input.hpp"

using punie::fuzz::require;
namespace json = boost::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    json::error_code error;
    const auto input = json::parse(punie::fuzz::text_of(data, size), error);
    if (error) return 0;
    const auto* schema = punie::member(input, "schema");
    const auto* value = punie::member(input, "value");
    if (schema == nullptr || value == nullptr) return 0;
    require(punie::same_json(*value, *value), "a value is what it is");
    require(
        (punie::compare_json(*schema, *value) < 0) == (punie::compare_json(*value, *schema) > 0),
        "an order has two sides"
    );
    const auto compiled = punie::JsonSchema::compile(*schema);
    if (!compiled) {
        require(compiled.error().message().contains(": "), "a fault has its place");
        return 0;
    }
    const auto findings = compiled->check(*value, 3);
    require(findings.size() <= 3, "no more than asked for");
    require(findings.empty() == compiled->check(*value, 1).empty(), "the verdict needs no limit");
    for (const auto& finding : findings)
        require(
            finding.starts_with('/') || finding.starts_with("(root): "), "a finding has its place"
        );
    return 0;
}
