// What CLI11 says, in Punie's words; and numbers that CLI11 would read as something else.

#include "cli/usage_words.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

namespace punie::cli {
namespace {

struct Said {
    const char* name;
    const char* by_the_library;
    const char* by_us;
};

class UsageWords : public testing::TestWithParam<Said> {};

TEST_P(UsageWords, NameWhatWasGivenAndWhatIsAllowed) {
    EXPECT_EQ(usage_words(GetParam().by_the_library), GetParam().by_us);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    UsageWords,
    testing::Values(
        Said{
            "whole_numbers",
            "--iters: Value 0 not in range 1 to 1000000",
            "--iters: '0' was given; allowed is 1 to 1000000"
        },
        Said{
            "fractions",
            "--threshold: Value 60 not in range 0.000000 to 1.000000",
            "--threshold: '60' was given; allowed is 0 to 1"
        },
        Said{
            "small_fractions",
            "--valid: Value -1 not in range 0.001000 to 0.900000",
            "--valid: '-1' was given; allowed is 0.001 to 0.9"
        },
        Said{
            "choices",
            "--require: quick not in {excellent,acceptable,slow}",
            "--require: 'quick' was given; allowed is excellent, acceptable or slow"
        },
        Said{
            "conversion",
            "Could not convert: --port = 99999999999",
            "--port: '99999999999' was given, which is too large or of another kind"
        },
        Said{"missing", "--model is required", "--model is missing"},
        Said{
            "anything_else",
            "The following argument was not expected: --modle",
            "The following argument was not expected: --modle"
        },
        Said{"nothing", "", ""}
    ),
    [](const auto& info) { return info.param.name; }
);

struct Number {
    const char* name;
    const char* option;
    const char* text;
    bool taken;
};

class Numbers : public testing::TestWithParam<Number> {};

TEST_P(Numbers, AreTakenAsTheyAreMeantOrNotAtAll) {
    CLI::App app;
    auto* sub = app.add_subcommand("do");  // found under everything
    int whole = 0;
    std::uint64_t natural = 0;
    std::optional<double> any;
    std::string text;
    sub->add_option("--whole", whole);
    sub->add_option("--natural", natural);
    sub->add_option("--any", any);
    sub->add_option("--text", text);
    check_numbers(app);
    std::vector<std::string> words = {GetParam().text, GetParam().option, "do"};
    bool taken = true;
    try {
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        taken = false;
        EXPECT_NE(std::string(error.what()).find("was given; expected"), std::string::npos)
            << error.what();
    }
    EXPECT_EQ(taken, GetParam().taken);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    Numbers,
    testing::Values(
        Number{"whole", "--whole", "12", true},
        Number{"below_zero", "--whole", "-12", true},
        Number{"with_a_sign", "--whole", "+12", true},
        Number{"a_word", "--whole", "twelve", false},
        Number{"a_fraction", "--whole", "1.5", false},
        Number{"hexadecimal", "--whole", "0x10", false},
        Number{"natural", "--natural", "18446744073709551615", true},
        Number{"not_the_largest", "--natural", "-1", false},
        Number{"any", "--any", "-1.5e-3", true},
        Number{"half", "--any", ".5", true},
        Number{"no_number", "--any", "nan", false},
        Number{"endless", "--any", "inf", false},
        Number{"with_a_unit", "--any", "5s", false},
        Number{"text_is_free", "--text", "-1.5.x", true}
    ),
    [](const auto& info) { return info.param.name; }
);

}  // namespace
}  // namespace punie::cli
