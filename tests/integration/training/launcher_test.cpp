// The decisions of python/train_launcher.py, in its own language: launcher_table.py.
#include <gtest/gtest.h>

#include "process/child.hpp"

namespace punie::training {
namespace {

TEST(TrainLauncher, DecidesAsItsTableSays) {
    const auto python = process::find_program("python3");
    if (!python) GTEST_SKIP() << "there is no python3";
    const auto ran = process::run_to_end_blocking(
        {.argv =
             {python->native(),
              PUNIE_SOURCE_DIR "/tests/integration/training/launcher_table.py",
              PUNIE_SOURCE_DIR "/python"},
         .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}}},
        std::chrono::seconds(50)
    );
    ASSERT_TRUE(ran) << ran.error().describe();
    EXPECT_TRUE(ran->status.success()) << ran->output;
}

}  // namespace
}  // namespace punie::training
