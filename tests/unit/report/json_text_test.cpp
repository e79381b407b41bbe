// JSON text written straight from the parts of a report: the same as their values give.

#include "report/json_text.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/json.hpp"
#include "sample_data.hpp"

namespace punie::report {
namespace {

template <typename T>
std::string text_of(const T& value, JsonStyle style = {}) {
    std::string out;
    JsonText(out, style).value(value);
    return out;
}

TEST(JsonText, IsWhatTheValuesGive) {
    auto value = to_json(sample_data());
    auto& object = value.as_object();
    for (const auto* head : {"format", "version"}) object.erase(head);
    EXPECT_EQ(*parse_json(text_of(sample_data())), value);
    EXPECT_EQ(*parse_json(text_of(sample_data(), {.indented = true})), value);
    EXPECT_EQ(*parse_json(text_of(sample_data(), {.in_html = true})), value);
}

TEST(JsonText, EscapesEveryByteThatNeedsIt) {
    std::string text;
    for (int byte = 0; byte < 0x80; ++byte) text += static_cast<char>(byte);
    text += "\xc3\xa4\xe2\x82\xac";
    EXPECT_EQ(text_of(text), to_text(json::value(text)));
    EXPECT_EQ(*parse_json(text_of(text)), json::value(text));
}

TEST(JsonText, InAPageNoTextOpensATag) {
    const json::object object{{"<b>", json::array{"</script>", 1, nullptr}}};
    const auto text = text_of(object, {.in_html = true});
    EXPECT_EQ(text, R"({"\u003cb>":["\u003c/script>",1,null]})");
    std::string out;
    JsonText(out, {.in_html = true}).raw(R"(["<!--"])");
    EXPECT_EQ(out, R"(["\u003c!--"])");
}

TEST(JsonText, IndentsAndLeavesEmptyBracketsAlone) {
    const json::object object{
        {"a", json::array{}}, {"b", json::object{}}, {"c", json::array{1, json::array{true}}}
    };
    EXPECT_EQ(
        text_of(object, {.indented = true}),
        "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    [\n      true\n    ]\n  ]\n}"
    );
    std::string out;
    JsonText text(out, {.indented = true});
    text.open('[');
    text.element();
    text.value_on_one_line(object);
    text.close(']');
    EXPECT_EQ(out, "[\n  " + to_text(object) + "\n]");
}

TEST(JsonText, ALossThatIsNoNumberIsNull) {
    EXPECT_EQ(text_of(std::numeric_limits<double>::quiet_NaN()), "null");
    EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(text_of(0.25), to_text(json::value(0.25)));
    EXPECT_EQ(text_of(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

}  // namespace
}  // namespace punie::report
