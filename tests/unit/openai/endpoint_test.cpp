#include "openai/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace punie::openai {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Endpoint, TakesUsualUrls) {
    for (const auto* url :
         {"http://127.0.0.1:8080/v1", "https://api.example.com/v1", "http://[::1]:9/v1", "http://h"
         }) {
        const auto checked = checked_endpoint({.base_url = url});
        ASSERT_TRUE(checked) << checked.error().message();
        EXPECT_EQ(checked->base_url, url);
    }
}

TEST(Endpoint, DropsTrailingSlashes) {
    EXPECT_EQ(checked_endpoint({.base_url = "http://h:1/v1//"})->base_url, "http://h:1/v1");
}

struct Row {
    const char* name;
    EndpointOptions options;
    const char* words;
};

const Row rows[] = {
    {"empty", {.base_url = ""}, "base_url"},
    {"no_scheme", {.base_url = "127.0.0.1:8080/v1"}, "base_url"},
    {"other_scheme", {.base_url = "ftp://h/v1"}, "neither http nor https"},
    {"no_host", {.base_url = "http:///v1"}, "no host"},
    {"spaces", {.base_url = "http://h o/v1"}, "not a URL"},
    {"query", {.base_url = "http://h/v1?key=1"}, "query"},
    {"port_zero", {.base_url = "http://h:0/v1"}, "port"},
    {"port_too_big", {.base_url = "http://h:70000/v1"}, "port"},
    {"defaults",
     {.base_url = "http://h", .request_defaults = {{"top_k", "x"}}},
     "request_defaults.top_k"},
    {"attempts", {.base_url = "http://h", .max_attempts = 0}, "max_attempts: 0"},
};

class EndpointRefused : public testing::TestWithParam<Row> {};

TEST_P(EndpointRefused, NamesTheField) {
    const auto checked = checked_endpoint(GetParam().options);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(checked.error().message(), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(Table, EndpointRefused, testing::ValuesIn(rows), [](const auto& row) {
    return std::string(row.param.name);
});

TEST(Endpoint, NeverShowsSecrets) {
    const auto key = checked_endpoint({.base_url = "http://h", .api_key = "sk-secret\n"});
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().describe(), Not(HasSubstr("sk-secret")));
    const auto password = checked_endpoint({.base_url = "http://me:hunter2@h/v1"});
    ASSERT_FALSE(password);
    EXPECT_THAT(password.error().describe(), Not(HasSubstr("hunter2")));
}

TEST(Endpoint, TheModelIsMadeOfWhatWasChecked) {
    const auto model = create_endpoint_model({.base_url = "http://127.0.0.1:1/v1/"});
    ASSERT_TRUE(model);
    EXPECT_EQ(model->options().base_url, "http://127.0.0.1:1/v1");
    EXPECT_FALSE(create_endpoint_model({.base_url = "nonsense"}));
}

}  // namespace
}  // namespace punie::openai
