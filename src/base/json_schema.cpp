#include "base/json_schema.hpp"

#include "base/json_schema_node.hpp"

namespace punie {

struct JsonSchema::Impl {
    std::shared_ptr<const schema::Compiled> compiled;
};

Result<JsonSchema> JsonSchema::compile(const json::value& schema) {
    auto compiled = schema::compile(schema);
    if (!compiled) return std::unexpected(std::move(compiled).error());
    JsonSchema result;
    result.impl_ = std::make_shared<const Impl>(Impl{*std::move(compiled)});
    return result;
}

std::vector<std::string> JsonSchema::check(const json::value& value, std::size_t limit) const {
    if (impl_ == nullptr) return {};
    return schema::check(*impl_->compiled, value, limit);
}

}  // namespace punie
