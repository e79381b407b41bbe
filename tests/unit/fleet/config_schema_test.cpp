// The published schema against the reader: the same keys, the same examples.

#include <set>

#include "base/json_schema.hpp"
#include "base/text.hpp"
#include "base/tree_yaml.hpp"
#include "config_fixture.hpp"
#include "fleet/config_reader.hpp"

namespace punie::fleet {
namespace {

using testing::IsEmpty;
using testing::Not;

json::value schema_value() {
    auto value = parse_json(gateway_schema());
    EXPECT_TRUE(value) << value.error().describe();
    return *std::move(value);
}

const JsonSchema& schema() {
    static const auto compiled = [] {
        auto result = JsonSchema::compile(schema_value());
        EXPECT_TRUE(result) << result.error().describe();
        return *std::move(result);
    }();
    return compiled;
}

std::vector<std::string> findings_of(std::string_view yaml) {
    tree::Faults faults;
    const auto root = tree::read_yaml(yaml, "punie.yaml", faults);
    EXPECT_TRUE(root) << faults.error().message();
    return root ? schema().check(tree::to_json(*root)) : std::vector<std::string>{"unreadable"};
}

/// section -> keys, as the schema has them.
std::map<std::string, std::set<std::string>> schema_keys() {
    std::map<std::string, std::set<std::string>> keys;
    const auto add = [&](const std::string& section, const json::value& of) {
        if (const auto* properties = member(of, "properties")) {
            for (const auto& [key, value] : properties->as_object())
                keys[section].insert(std::string(key));
        }
    };
    const auto value = schema_value();
    add("file", value);
    for (const auto& [name, definition] : value.at("definitions").as_object())
        add(std::string(name), definition);
    return keys;
}

constexpr std::string_view everything = R"(
listen: {port: 0}
control: {listen: {port: 9000}}
keys: [{name: me, key_env: MY_KEY, control: true}]
models:
  a: {path: /a, sampling: {temperature: 1}}
  b: {upstream: {url: "http://h/v1"}}
groups: {g: {models: [a]}}
queue: {requests: 3}
)";

TEST_F(ConfigFixture, TheSchemaHasTheKeysThatTheReaderLooksFor) {
    std::map<std::string, std::set<std::string>> read;
    const auto config = read_gateway_config_watched(
        everything,
        folder_->path() / "punie.yaml",
        environment_,
        [&](std::string_view section, std::string_view key) {
            read[std::string(section)].insert(std::string(key));
        }
    );
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(read, schema_keys());
}

TEST(GatewaySchema, EveryKeyHasADescription) {
    const auto value = schema_value();
    const auto check = [](const std::string& where, const json::value& of) {
        const auto* properties = member(of, "properties");
        if (properties == nullptr) return;
        for (const auto& [key, property] : properties->as_object()) {
            const bool described = string_member(property, "description").has_value() ||
                                   string_member(property, "$ref").has_value();
            EXPECT_TRUE(described) << where << "." << std::string(key);
        }
    };
    check("file", value);
    for (const auto& [name, definition] : value.at("definitions").as_object())
        check(std::string(name), definition);
}

TEST_F(ConfigFixture, TheExampleFitsTheSchemaAndIsRead) {
    const auto file = std::filesystem::path(PUNIE_SOURCE_DIR) / "examples/gateway/punie.yaml";
    const auto text = read_text(file);
    ASSERT_TRUE(text);
    EXPECT_THAT(findings_of(*text), IsEmpty());
    const auto config = read_gateway_config(*text, file, environment_);
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->models.size(), 4U);
}

/// Blocks of docs/gateway-config.md that begin with ```yaml.
std::vector<std::string> documented() {
    const auto text = read_text(std::filesystem::path(PUNIE_SOURCE_DIR) / "docs/gateway-config.md");
    EXPECT_TRUE(text);
    std::vector<std::string> blocks;
    if (!text) return blocks;
    std::string_view rest = *text;
    constexpr std::string_view fence = "```";
    for (auto at = rest.find("```yaml\n"); at != std::string_view::npos;
         at = rest.find("```yaml\n")) {
        rest.remove_prefix(at + 8);
        const auto end = rest.find(fence);
        blocks.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end + fence.size());
    }
    return blocks;
}

TEST_F(ConfigFixture, EveryDocumentedExampleFitsTheSchemaAndIsRead) {
    const auto blocks = documented();
    EXPECT_GE(blocks.size(), 8U);
    for (const auto name : {"NAS_KEY", "MODELS", "EXAMPLE_API_KEY"})
        environment_[name] = std::string("value-of-") + name;
    std::filesystem::remove(folder_->path() / "keys");  // a folder in these examples
    write("keys/laptop", "laptop-key\n");
    write("keys/team", "ann a-key\nbob b-key\n");
    for (const auto& block : blocks) {
        EXPECT_THAT(findings_of(block), IsEmpty()) << block;
        const auto config = read(block);
        EXPECT_TRUE(config) << config.error().message() << "\n" << block;
    }
}

TEST(GatewaySchema, TheDocumentationNamesEveryKey) {
    const auto text = read_text(std::filesystem::path(PUNIE_SOURCE_DIR) / "docs/gateway-config.md");
    ASSERT_TRUE(text);
    for (const auto& [section, keys] : schema_keys()) {
        for (const auto& key : keys)
            EXPECT_THAT(*text, testing::HasSubstr("`" + key + "`")) << section;
    }
}

class RefusedBySchema : public testing::TestWithParam<const char*> {};

TEST_P(RefusedBySchema, AsByTheReader) {
    EXPECT_THAT(findings_of(GetParam()), Not(IsEmpty()));
    EXPECT_FALSE(read_gateway_config(GetParam(), "/nowhere/punie.yaml", {}));
}

INSTANTIATE_TEST_SUITE_P(
    Both,
    RefusedBySchema,
    testing::Values(
        "memory: 8 GB",
        "models: {}",
        "models: {a: /a}\nmodle: 1",
        "models: {a: {path: /a, tll: 5m}}",
        "models: {a: {path: /a, ttl: 600}}",
        "models: {a: /a}\nmemory: 8",
        "models: {a: {pin: true}}",
        "models: {a: {path: /a, upstream: {url: \"http://h\"}}}",
        "models: {a: {path: /a, pin: 1}}",
        "models: {a: {path: /a, sampling: {temperature: 3}}}",
        "models: {a: /a}\nlisten: {port: 70000}",
        "models: {a: /a}\nkeys: [{name: x, key: y}]",
        "models: {a: /a}\ngroups: {g: {together: true}}",
        "models: {a: /a}\nqueue: {requests: 0}",
        "models: {\"a b\": /a}"
    )
);

}  // namespace
}  // namespace punie::fleet
