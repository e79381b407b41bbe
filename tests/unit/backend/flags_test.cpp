#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recorded.hpp"

namespace punie::backend {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(Flags, OfTheRealServer) {
    // all of them: a new flag in the recording must be looked at
    EXPECT_THAT(
        flags_of_help(recorded("mlx_lm_server_0.32.2.txt")),
        ElementsAre(
            "--adapter-path",
            "--allowed-origins",
            "--chat-template",
            "--chat-template-args",
            "--decode-concurrency",
            "--draft-model",
            "--help",
            "--host",
            "--kv-bits",
            "--kv-group-size",
            "--log-level",
            "--max-tokens",
            "--min-p",
            "--model",
            "--num-draft-tokens",
            "--pipeline",
            "--port",
            "--prefill-step-size",
            "--prompt-cache-bytes",
            "--prompt-cache-size",
            "--prompt-concurrency",
            "--quantized-kv-start",
            "--temp",
            "--top-k",
            "--top-p",
            "--trust-remote-code",
            "--use-default-chat-template"
        )
    );
}

TEST(Flags, OfTheRealTrainer) {
    const auto flags = flags_of_help(recorded("mlx_lm_lora_0.32.2.txt"));
    for (const auto* flag :
         {"--train", "--data", "--num-layers", "--report-to", "--grad-checkpoint", "--batch-size"
         }) {
        EXPECT_THAT(flags, Contains(flag));
    }
    EXPECT_THAT(flags, Not(Contains("--host")));
}

TEST(Flags, OfLlamaServer) {
    const auto flags = flags_of_help(recorded("llama_server_0.3.36.txt"));
    for (const auto* flag :
         {"--ctx-size", "--lora", "--model", "--n-predict", "--predict", "--repeat-last-n", "--port"
         }) {
        EXPECT_THAT(flags, Contains(flag));
    }
    EXPECT_GT(flags.size(), 150U);
}

TEST(Flags, OfVllm) {
    const auto flags = flags_of_help(recorded("vllm_serve_0.33.0.txt"));
    for (const auto* flag :
         {"--max-model-len", "--enable-lora", "--lora-modules", "--host", "--quantization"}) {
        EXPECT_THAT(flags, Contains(flag));
    }
}

TEST(Flags, MentionsInDescriptionsDoNotCount) {
    const auto flags = flags_of_help(
        "  --alpha A             see --beta\n"
        "                        --gamma is no flag either\n"
        "-c,    --ctx-size N                     size, see --delta\n"
        "  -m M, --model M       old layout of argparse\n"
        "  --on, --no-on         both\n"
        "  --value=X             with an equals sign\n"
        "usage: x [--usage-only]\n"
    );
    EXPECT_THAT(
        flags, ElementsAre("--alpha", "--ctx-size", "--model", "--no-on", "--on", "--value")
    );
}

TEST(Flags, NothingInNothing) {
    EXPECT_THAT(flags_of_help(""), IsEmpty());
    EXPECT_THAT(flags_of_help("-\n--\n - x\nTraceback (most recent call last):\n"), IsEmpty());
}

}  // namespace
}  // namespace punie::backend
