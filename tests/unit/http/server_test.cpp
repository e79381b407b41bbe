#include "http/server.hpp"

#include <gtest/gtest.h>

namespace punie::http {

namespace {

TEST(OwnHost, IsLoopbackWithTheOwnPort) {
    for (const auto* host : {"127.0.0.1:8090", "localhost:8090", "[::1]:8090"})
        EXPECT_TRUE(is_own_host(host, 8090)) << host;
    for (const auto* host :
         {"",
          "127.0.0.1",
          "localhost",
          "127.0.0.1:80",
          "127.0.0.1:18090",
          "evil.example:8090",
          "localhost.evil.example:8090",
          "127.0.0.1:8090.evil.example",
          "x@localhost:8090",
          ":8090",
          "localhost:8090 ",
          "0.0.0.0:8090"})
        EXPECT_FALSE(is_own_host(host, 8090)) << host;
}

struct PathRow {
    const char* target;
    const char* path;  ///< null: refused
};

class DecodedPath : public testing::TestWithParam<PathRow> {};

TEST_P(DecodedPath, IsAsExpected) {
    const auto path = decoded_path(GetParam().target);
    ASSERT_EQ(path.has_value(), GetParam().path != nullptr);
    if (path) EXPECT_EQ(*path, GetParam().path);
}

INSTANTIATE_TEST_SUITE_P(
    Server,
    DecodedPath,
    testing::Values(
        PathRow{"/", "/"},
        PathRow{"/report/eval-1?x=%zz#y", "/report/eval-1"},
        PathRow{"/a%20b%2Fc", "/a b/c"},
        PathRow{"/..%2f..", "/../.."},
        PathRow{"", nullptr},
        PathRow{"*", nullptr},
        PathRow{"http://a/b", nullptr},
        PathRow{"/%", nullptr},
        PathRow{"/%4", nullptr},
        PathRow{"/%zz", nullptr},
        PathRow{"/%00", nullptr}
    )
);

}  // namespace

}  // namespace punie::http
