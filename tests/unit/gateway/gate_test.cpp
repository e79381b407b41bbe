#include "gateway/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace punie::gateway {
namespace {

using namespace std::chrono_literals;

const SteadyTime start{std::chrono::hours(1)};

fleet::KeySpec key(std::string name, std::string value) {
    return {.name = std::move(name), .value = std::move(value)};
}

fleet::GatewayConfig with_keys() {
    fleet::GatewayConfig config;
    config.keys = {key("alice", "sk-alice-1"), key("bob", "sk-bob-22"), key("root", "sk-root")};
    config.keys[1].models = {"small", "big:french"};
    config.keys[2].control = true;
    return config;
}

relay::Head head(relay::Headers headers) {
    return {.method = "GET", .target = "/", .path = "/", .headers = std::move(headers)};
}

relay::Peer peer() {
    return {.address = "127.0.0.1", .port = 4000, .listener = "0", .local_port = 8080};
}

relay::Peer peer_of_socket() {
    return {.unix_socket = true, .listener = "socket"};
}

struct HostRow {
    const char* name;
    const char* listen;
    std::vector<std::string> hosts;
    bool keys;
    const char* host;
    int status;  ///< 0: let in
};

class Hosts : public testing::TestWithParam<HostRow> {};

TEST_P(Hosts, ForeignNamesAreRefused) {
    const auto& row = GetParam();
    auto config = row.keys ? with_keys() : fleet::GatewayConfig{};
    config.listen.front().host = row.listen;
    config.listen.front().hosts = row.hosts;
    Gate gate(config, "");
    relay::Headers headers{{"Host", row.host}};
    if (row.keys) headers.emplace_back("Authorization", "Bearer sk-alice-1");
    const auto pass = gate.check(head(headers), peer(), start);
    EXPECT_EQ(pass ? 0 : pass.error().status, row.status);
    if (!pass) {
        EXPECT_THAT(pass.error().message, testing::HasSubstr("Host header"));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    Hosts,
    testing::Values(
        HostRow{"Address", "127.0.0.1", {}, false, "127.0.0.1:8080", 0},
        HostRow{"NoPort", "127.0.0.1", {}, false, "127.0.0.1", 0},
        HostRow{"Localhost", "127.0.0.1", {}, false, "localhost:8080", 0},
        HostRow{"LocalhostUpper", "127.0.0.1", {}, false, "LOCALHOST", 0},
        HostRow{"SubLocalhost", "127.0.0.1", {}, false, "punie.localhost:8080", 0},
        HostRow{"SixLoopback", "127.0.0.1", {}, false, "[::1]:8080", 0},
        HostRow{"OtherLoopback", "127.0.0.1", {}, false, "127.5.6.7", 0},
        HostRow{"AnotherPortIsAProxy", "127.0.0.1", {}, false, "localhost:9999", 0},
        HostRow{"Rebound", "127.0.0.1", {}, false, "evil.example", 421},
        HostRow{"ReboundPort", "127.0.0.1", {}, false, "evil.example:8080", 421},
        HostRow{"LooksLocal", "127.0.0.1", {}, false, "localhost.evil.example", 421},
        HostRow{"LooksLikeAddress", "127.0.0.1", {}, false, "127.0.0.1.evil.example", 421},
        HostRow{"NotLoopback", "127.0.0.1", {}, false, "10.0.0.1:8080", 421},
        HostRow{"Broken", "127.0.0.1", {}, false, "localhost:80x", 421},
        HostRow{"PortTooLarge", "127.0.0.1", {}, false, "localhost:70000", 421},
        HostRow{"OpenBracket", "127.0.0.1", {}, false, "[::1", 421},
        HostRow{"OnlyPort", "127.0.0.1", {}, false, ":8080", 421},
        HostRow{"Listed", "127.0.0.1", {"mac.lan"}, false, "mac.lan:8080", 0},
        HostRow{"ListedUpper", "127.0.0.1", {"mac.lan"}, false, "MAC.LAN", 0},
        HostRow{"NotListed", "127.0.0.1", {"mac.lan"}, false, "mac2.lan", 421},
        HostRow{"KeysDoNotHelpOnLoopback", "127.0.0.1", {}, true, "evil.example", 421},
        HostRow{"OpenWithKeys", "0.0.0.0", {}, true, "mac.lan:8080", 0},
        HostRow{"OpenWithKeysAndList", "0.0.0.0", {"mac.lan"}, true, "other.lan", 421},
        HostRow{"OpenByAddress", "0.0.0.0", {"mac.lan"}, true, "10.0.0.1:8080", 0}
    ),
    [](const auto& info) { return info.param.name; }
);

struct OriginRow {
    const char* name;
    const char* origin;
    const char* host;
    std::vector<std::string> origins;
    bool tls;
    int status;
};

class Origins : public testing::TestWithParam<OriginRow> {};

TEST_P(Origins, OnlyOwnAndListedPagesMayAsk) {
    const auto& row = GetParam();
    fleet::GatewayConfig config;
    config.listen.front().origins = row.origins;
    Gate gate(config, "");
    auto from = peer();
    from.tls = row.tls;
    const auto asked = head({{"Host", row.host}, {"Origin", row.origin}});
    const auto pass = gate.check(asked, from, start);
    EXPECT_EQ(pass ? 0 : pass.error().status, row.status);
    const auto preflight = gate.preflight(asked, from);
    EXPECT_EQ(preflight ? 0 : preflight.error().status, row.status);
    if (pass) {
        EXPECT_EQ(pass->allowed_origin, row.origin);
        EXPECT_EQ(relay::find_header(*preflight, "access-control-allow-origin"), row.origin);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    Origins,
    testing::Values(
        OriginRow{"Own", "http://127.0.0.1:8080", "127.0.0.1:8080", {}, false, 0},
        OriginRow{"OwnTls", "https://localhost:8080", "localhost:8080", {}, true, 0},
        OriginRow{"OtherScheme", "https://localhost:8080", "localhost:8080", {}, false, 403},
        OriginRow{"OtherPort", "http://localhost:3000", "localhost:8080", {}, false, 403},
        OriginRow{"Foreign", "https://evil.example", "localhost:8080", {}, false, 403},
        OriginRow{"Null", "null", "localhost:8080", {}, false, 403},
        OriginRow{
            "Listed", "http://localhost:3000", "localhost:8080", {"http://localhost:3000"}, false, 0
        },
        OriginRow{
            "ListedIsNoPrefix",
            "http://localhost:30001",
            "localhost:8080",
            {"http://localhost:3000"},
            false,
            403
        },
        OriginRow{"StarIsNoWildcard", "https://evil.example", "localhost:8080", {"*"}, false, 403}
    ),
    [](const auto& info) { return info.param.name; }
);

struct KeyRow {
    const char* name;
    relay::Headers headers;
    int status;
    const char* client;  ///< who was let in
};

class Keys : public testing::TestWithParam<KeyRow> {};

TEST_P(Keys, OnlyTheRightOnesOpen) {
    Gate gate(with_keys(), "token-of-the-page");
    auto headers = GetParam().headers;
    headers.emplace_back("Host", "localhost");
    const auto pass = gate.check(head(headers), peer(), start);
    EXPECT_EQ(pass ? 0 : pass.error().status, GetParam().status);
    if (pass) {
        EXPECT_EQ(pass->client, GetParam().client);
    } else {
        EXPECT_THAT(pass.error().message, testing::Not(testing::HasSubstr("sk-")));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    Keys,
    testing::Values(
        KeyRow{"None", {}, 401, ""},
        KeyRow{"Bearer", {{"Authorization", "Bearer sk-alice-1"}}, 0, "alice"},
        KeyRow{"LowerBearer", {{"authorization", "bearer sk-bob-22"}}, 0, "bob"},
        KeyRow{"Blanks", {{"Authorization", "Bearer   sk-bob-22 "}}, 0, "bob"},
        KeyRow{"Anthropic", {{"x-api-key", "sk-alice-1"}}, 0, "alice"},
        KeyRow{"Wrong", {{"Authorization", "Bearer sk-alice-2"}}, 401, ""},
        KeyRow{"Prefix", {{"Authorization", "Bearer sk-alice-"}}, 401, ""},
        KeyRow{"Longer", {{"Authorization", "Bearer sk-alice-11"}}, 401, ""},
        KeyRow{"Basic", {{"Authorization", "Basic sk-alice-1"}}, 401, ""},
        KeyRow{"Naked", {{"Authorization", "sk-alice-1"}}, 401, ""},
        KeyRow{"Empty", {{"Authorization", "Bearer "}}, 401, ""},
        KeyRow{"Page", {{"Authorization", "Bearer token-of-the-page"}}, 0, "dashboard"}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(Gate, WithoutKeysEverybodyOnThisMachineComesInButNotToControl) {
    Gate gate(fleet::GatewayConfig{}, "page");
    const auto pass = gate.check(head({{"Host", "localhost"}}), peer(), start);
    ASSERT_TRUE(pass);
    EXPECT_FALSE(pass->control);
    EXPECT_EQ(pass->client, "127.0.0.1");
    const auto page =
        gate.check(head({{"Host", "localhost"}, {"x-api-key", "page"}}), peer(), start);
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->control);
}

TEST(Gate, ControlIsForTheSocketAndForKeysThatHaveIt) {
    Gate gate(with_keys(), "");
    const auto by = [&](const char* value) {
        return gate.check(head({{"Host", "localhost"}, {"x-api-key", value}}), peer(), start);
    };
    EXPECT_FALSE(by("sk-alice-1")->control);
    EXPECT_TRUE(by("sk-root")->control);
    EXPECT_FALSE(by("")) << "no token is set: an empty one is none";
    const auto socket = gate.check(head({}), peer_of_socket(), start);
    ASSERT_TRUE(socket);
    EXPECT_TRUE(socket->control);
}

TEST(Gate, AKeyMayUseItsModelsOnly) {
    Gate gate(with_keys(), "");
    const auto pass =
        gate.check(head({{"Host", "localhost"}, {"x-api-key", "sk-bob-22"}}), peer(), start);
    ASSERT_TRUE(pass);
    EXPECT_TRUE(pass->may_use("small"));
    EXPECT_TRUE(pass->may_use("small:any")) << "a model's adapters are the model's";
    EXPECT_TRUE(pass->may_use("big:french"));
    EXPECT_FALSE(pass->may_use("big"));
    EXPECT_FALSE(pass->may_use("big:german"));
    EXPECT_FALSE(pass->may_use("smaller"));
}

TEST(Gate, RequestsAMinuteAreCounted) {
    auto config = with_keys();
    config.keys[0].requests_per_minute = 3;
    Gate gate(config, "");
    const auto ask = [&](SteadyTime now, const char* value) {
        return gate.check(head({{"Host", "localhost"}, {"x-api-key", value}}), peer(), now);
    };
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(start, "sk-alice-1"));
    const auto barred = ask(start, "sk-alice-1");
    ASSERT_FALSE(barred);
    EXPECT_EQ(barred.error().status, 429);
    EXPECT_EQ(barred.error().retry_after, 20s);
    EXPECT_TRUE(ask(start, "sk-bob-22")) << "another key has its own";
    EXPECT_FALSE(ask(start + 19s, "sk-alice-1"));
    EXPECT_TRUE(ask(start + 21s, "sk-alice-1"));
    EXPECT_FALSE(ask(start + 22s, "sk-alice-1"));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(start + 1h, "sk-alice-1"));
    EXPECT_FALSE(ask(start + 1h, "sk-alice-1")) << "an hour's rest saves up a minute's worth only";
}

TEST(Gate, TokensAMinuteAreCountedWhenTheyAreKnown) {
    auto config = with_keys();
    config.keys[0].tokens_per_minute = 600;
    Gate gate(config, "");
    const auto ask = [&](SteadyTime now) {
        return gate.check(head({{"Host", "localhost"}, {"x-api-key", "sk-alice-1"}}), peer(), now);
    };
    const auto pass = ask(start);
    ASSERT_TRUE(pass);
    gate.spent(*pass, 700, start);
    const auto barred = ask(start + 1s);
    ASSERT_FALSE(barred);
    EXPECT_EQ(barred.error().status, 429);
    EXPECT_THAT(barred.error().message, testing::HasSubstr("600 tokens a minute"));
    EXPECT_TRUE(ask(start + 11s));
}

TEST(Gate, ANewConfigurationKeepsTheRatesOfTheKeysThatStay) {
    auto config = with_keys();
    config.keys[0].requests_per_minute = 1;
    Gate gate(config, "");
    const auto ask = [&](const char* value) {
        return gate.check(head({{"Host", "localhost"}, {"x-api-key", value}}), peer(), start);
    };
    const auto running = ask("sk-alice-1");
    ASSERT_TRUE(running);
    config.keys.erase(config.keys.begin() + 1);
    gate.apply(config);
    EXPECT_EQ(ask("sk-alice-1").error().status, 429);
    EXPECT_EQ(ask("sk-bob-22").error().status, 401);
    gate.apply(fleet::GatewayConfig{});
    EXPECT_EQ(running->key->name, "alice") << "a running request still has its key";
}

TEST(SplitHost, TakesNamesAddressesAndPortsApart) {
    EXPECT_EQ(
        split_host("A.b:80"), std::pair(std::string("a.b"), std::optional<std::uint16_t>(80))
    );
    EXPECT_EQ(split_host("[::1]")->first, "::1");
    EXPECT_EQ(split_host("[::1]:1")->second, 1);
    EXPECT_FALSE(split_host(""));
    EXPECT_FALSE(split_host("a:"));
    EXPECT_FALSE(split_host("a:1:2"));
    EXPECT_FALSE(split_host("[::1]80"));
}

}  // namespace
}  // namespace punie::gateway
