#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "model_folder.hpp"

namespace punie::backend {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Safetensors : public testing::Test {
protected:
    TemporaryFolder folder_ = *TemporaryFolder::make();
    std::filesystem::path file_ = folder_.path() / "x.safetensors";
};

TEST_F(Safetensors, HeaderIsRead) {
    write_safetensors(file_, {{"a.weight", {3, 2}}, {"b", {5}, "BF16"}, {"empty", {0}}});
    const auto header = read_safetensors_header(file_);
    ASSERT_TRUE(header) << header.error().message();
    ASSERT_EQ(header->size(), 3U);
    EXPECT_EQ(header->at("a.weight").dtype, "F32");
    EXPECT_THAT(header->at("a.weight").shape, ElementsAre(3, 2));
    EXPECT_EQ(header->at("a.weight").bytes, 24U);
    EXPECT_EQ(header->at("b").bytes, 10U);
}

TEST_F(Safetensors, AMissingFileIsNotFound) {
    const auto header = read_safetensors_header(file_);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code(), ErrorCode::not_found);
}

struct Hostile {
    const char* name;
    std::string header;
    std::uint64_t data;
    const char* byte;
    const char* says;
};

void PrintTo(const Hostile& row, std::ostream* out) {
    *out << row.name;
}

class HostileHeader : public testing::TestWithParam<Hostile> {};

TEST_P(HostileHeader, IsRefusedWithFileAndByte) {
    const auto folder = *TemporaryFolder::make();
    const auto file = folder.path() / "x.safetensors";
    write_raw_safetensors(file, GetParam().header, GetParam().data);
    const auto header = read_safetensors_header(file);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code(), ErrorCode::model_invalid);
    EXPECT_THAT(
        header.error().message(),
        AllOf(
            HasSubstr("x.safetensors: byte "),
            HasSubstr(GetParam().byte),
            HasSubstr(GetParam().says)
        )
    );
}

std::string one(
    const std::string& shape, const std::string& offsets, const std::string& dtype = "\"F32\""
) {
    return R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
}

const Hostile hostile[] = {
    {"not_json", "{\"t\": }", 0, "byte 8:", "not valid JSON"},
    {"array", "[1]", 0, "byte 8:", "no JSON object"},
    {"deep", std::string(5000, '['), 0, "byte 8:", "not valid JSON"},
    {"empty", "", 0, "byte 8:", "not valid JSON"},
    {"no_dtype", R"({"t":{"shape":[1],"data_offsets":[0,4]}})", 4, "byte 8:", "tensor 't': no dtype"
    },
    {"number_for_dtype", one("[1]", "[0,4]", "5"), 4, "byte 8:", "no dtype"},
    {"entry_is_number", R"({"t":5})", 4, "byte 8:", "no dtype"},
    {"no_shape", R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", 4, "byte 8:", "no shape"},
    {"no_offsets", R"({"t":{"dtype":"F32","shape":[1]}})", 4, "byte 8:", "no data_offsets"},
    {"three_offsets", one("[1]", "[0,4,5]"), 5, "byte 8:", "no data_offsets of two"},
    {"negative_offset", one("[1]", "[-4,0]"), 4, "byte 8:", "no range"},
    {"backward", one("[1]", "[4,0]"), 4, "byte 8:", "no range"},
    {"beyond_the_file", one("[2]", "[0,8]"), 4, "byte 66:", "the file ends here"},
    {"huge_offset", one("[2]", "[0,18446744073709551615]"), 4, "", "the file ends here"},
    {"negative_size", one("[-1]", "[0,4]"), 4, "byte 8:", "no size"},
    {"text_size", one("[\"1\"]", "[0,4]"), 4, "byte 8:", "no size"},
    {"overflowing_shape",
     one("[4294967296,4294967296]", "[0,4]"),
     4,
     "byte 8:",
     "larger than any file"},
    {"wrong_bytes", one("[2]", "[0,4]"), 4, "byte 8:", "2 elements of F32 do not take the 4 bytes"},
    {"overlap",
     R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
     6,
     "",
     "'a' and 'b' overlap"},
};
INSTANTIATE_TEST_SUITE_P(Table, HostileHeader, testing::ValuesIn(hostile), [](const auto& row) {
    return std::string(row.param.name);
});

TEST_F(Safetensors, EveryCutIsRefused) {
    write_safetensors(file_, {{"a.weight", {3, 2}}});
    const auto whole = *read_text(file_);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write_file(file_, whole.substr(0, size));
        const auto header = read_safetensors_header(file_);
        ASSERT_FALSE(header) << size;
        EXPECT_EQ(header.error().code(), ErrorCode::model_invalid) << size;
    }
}

TEST_F(Safetensors, AHugeHeaderLengthIsRefusedWithoutReadingIt) {
    write_file(file_, std::string(7, '\xff') + "\x7f{}");
    const auto header = read_safetensors_header(file_);
    ASSERT_FALSE(header);
    EXPECT_THAT(header.error().message(), HasSubstr("byte 0: not a safetensors file"));
}

TEST_F(Safetensors, UnknownTypesAreReadUnchecked) {
    write_raw_safetensors(file_, one("[2]", "[0,3]", "\"F12_NEW\""), 3);
    EXPECT_TRUE(read_safetensors_header(file_));
}

}  // namespace
}  // namespace punie::backend
