#include <gmock/gmock.h>

#include "backend/backend.hpp"
#include "backend/blocking.hpp"
#include "backend/mlx_installation.hpp"
#include "world.hpp"

namespace punie::backend {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class FindMlx : public World {
protected:
    Error error_of(const std::string& explicit_path = {}) {
        auto found = find_mlx_blocking(explicit_path);
        EXPECT_FALSE(found);
        return found ? Error(ErrorCode::state, "no error") : found.error();
    }
};

TEST_F(FindMlx, ReadsWhatTheInterpreterSays) {
    const auto python = interpreter(root() / "venv/bin/python", answer("1.2.3"));
    const auto found = find_mlx_blocking((root() / "venv").native());
    ASSERT_TRUE(found) << found.error().describe();
    EXPECT_EQ(found->python, python);
    EXPECT_EQ(found->found_by, "--mlx-lm");
    EXPECT_EQ(found->mlx_lm_version, "1.2.3");
    EXPECT_EQ(found->mlx_version, "0.32.4");
    EXPECT_EQ(found->python_version, "3.11.7");
    EXPECT_THAT(found->server_flags, ElementsAre("--model", "--port"));
    EXPECT_THAT(found->lora_flags, ElementsAre("--train"));
    EXPECT_THAT(found->own_cache_types, ElementsAre("llama"));
    EXPECT_TRUE(found->training_callbacks);
    EXPECT_FALSE(found->metal);
}

TEST_F(FindMlx, APlaceCanBeNamedInFourWays) {
    const auto python = interpreter(root() / "venv/bin/python", answer("1"));
    const auto script = root() / "venv/bin/mlx_lm.server";
    write(script, "#!" + python.native() + "\nimport x\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    for (const auto& place : {root() / "venv", root() / "venv/bin", python, script}) {
        const auto found = find_mlx_blocking(place.native());
        ASSERT_TRUE(found) << place << found.error().describe();
        EXPECT_EQ(found->python, python) << place;
    }
}

TEST_F(FindMlx, ASecondTimeNothingRunsUntilAFileChanges) {
    const auto module = root() / "site/mlx_lm/_version.py";
    write(module, "1");
    const auto python = interpreter(root() / "venv/bin/python", answer("1", module));
    ASSERT_TRUE(find_mlx_blocking(python.native()));
    ASSERT_TRUE(find_mlx_blocking(python.native()));
    EXPECT_EQ(runs(python), 1U);
    write(module, "an upgrade");
    ASSERT_TRUE(find_mlx_blocking(python.native()));
    EXPECT_EQ(runs(python), 2U);
    interpreter(python, answer("20.0", module));
    const auto found = find_mlx_blocking(python.native());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->mlx_lm_version, "20.0");
    EXPECT_EQ(runs(python), 3U);
}

TEST_F(FindMlx, ABrokenCacheIsNoHindrance) {
    const auto python = interpreter(root() / "venv/bin/python", answer("1"));
    ASSERT_TRUE(find_mlx_blocking(python.native()));
    for (const auto& entry : std::filesystem::directory_iterator(root() / "cache/punie/answers")) {
        write(entry.path(), "{\"key\": 5");
    }
    EXPECT_TRUE(find_mlx_blocking(python.native()));
    EXPECT_EQ(runs(python), 2U);
}

TEST_F(FindMlx, TheOrderOfThePlaces) {
    interpreter(root() / "bin/python3", answer("path"));
    set("PATH", (root() / "bin").native() + ":/usr/bin:/bin");
    const auto version = [] {
        const auto found = find_mlx_blocking({});
        return found ? found->mlx_lm_version : found.error().describe();
    };
    EXPECT_EQ(version(), "path");
    interpreter(root() / "scripts/python", answer("script"));
    program(root() / "bin/mlx_lm.server", "");
    write(root() / "bin/mlx_lm.server", "#!" + (root() / "scripts/python").native() + "\n");
    EXPECT_EQ(version(), "script");
    interpreter(root() / "active/bin/python", answer("active"));
    set("VIRTUAL_ENV", (root() / "active").native());
    EXPECT_EQ(version(), "active");
    interpreter(root() / "work/.venv/bin/python", answer("repository"));
    std::filesystem::create_directories(root() / "work/sub/deep");
    std::filesystem::current_path(root() / "work/sub/deep");
    EXPECT_EQ(version(), "repository");
    interpreter(root() / "work/sub/.venv/bin/python", answer("nearer"));
    EXPECT_EQ(version(), "nearer");
    interpreter(root() / "named/bin/python", answer("variable"));
    set("PUNIE_MLX_LM", (root() / "named").native());
    EXPECT_EQ(version(), "variable");
    interpreter(root() / "configured/bin/python", answer("configuration"));
    write(
        root() / "config/punie/config.yaml", "mlx_lm: " + (root() / "configured").native() + "\n"
    );
    EXPECT_EQ(version(), "configuration");
}

TEST_F(FindMlx, TheSearchEndsAtTheRepositorysRoot) {
    interpreter(root() / ".venv/bin/python", answer("outside"));
    EXPECT_EQ(error_of().code(), ErrorCode::program_missing);
}

TEST_F(FindMlx, NowhereNamesEveryPlaceAndTheCure) {
    interpreter(
        root() / "bin/python3", R"({"error": "No module named 'mlx_lm'", "missing": "mlx_lm"})"
    );
    set("PATH", (root() / "bin").native() + ":/usr/bin:/bin");
    std::filesystem::create_directories(root() / "work/.venv/bin");
    std::filesystem::create_symlink("/no/such/python", root() / "work/.venv/bin/python");
    const auto error = error_of();
    EXPECT_EQ(error.code(), ErrorCode::program_missing);
    EXPECT_THAT(
        error.message(),
        AllOf(
            HasSubstr("broken virtual environment"),
            HasSubstr("/no/such/python, which does not exist"),
            HasSubstr("PATH: no mlx_lm.server"),
            HasSubstr("has no mlx_lm")
        )
    );
    EXPECT_THAT(error.hint(), AllOf(HasSubstr("pip install mlx-lm"), HasSubstr("PUNIE_MLX_LM")));
}

TEST_F(FindMlx, AnExplicitPlaceIsNeverPassedOver) {
    interpreter(root() / "work/.venv/bin/python", answer("good"));
    EXPECT_THAT(
        error_of("/no/such/venv").message(), HasSubstr("--mlx-lm: /no/such/venv does not exist")
    );
    set("PUNIE_MLX_LM", "/no/such/other");
    EXPECT_THAT(error_of().message(), HasSubstr("PUNIE_MLX_LM: /no/such/other does not exist"));
    write(root() / "config/punie/config.yaml", "mlx_lm: ~/gone\n");
    EXPECT_THAT(
        error_of().message(),
        AllOf(HasSubstr("configuration: "), HasSubstr("home/gone does not exist"))
    );
}

TEST_F(FindMlx, ABadConfigurationFileIsNamedWithItsLine) {
    const auto file = root() / "config/punie/config.yaml";
    write(file, "a: 1\nmlx_lm: [1, 2]\n");
    EXPECT_THAT(
        error_of().message(),
        AllOf(HasSubstr("config.yaml: line 2: "), HasSubstr("a path is expected"))
    );
    write(file, "a: 1\nb: [1, 2\n");
    EXPECT_THAT(error_of().message(), HasSubstr("config.yaml: line 3: "));
    write(file, "- list\n");
    EXPECT_THAT(error_of().message(), HasSubstr("a map of names to values is expected"));
    EXPECT_EQ(error_of().code(), ErrorCode::invalid_argument);
    write(file, "# nothing\n");
    EXPECT_EQ(error_of().code(), ErrorCode::program_missing);
}

struct Broken {
    const char* name;
    const char* body;
    const char* says;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Broken& row, std::ostream* out) {
    *out << row.name;
}

class BrokenInterpreter : public World, public testing::WithParamInterface<Broken> {};

TEST_P(BrokenInterpreter, IsExplained) {
    const auto python = program(root() / "venv/bin/python", GetParam().body);
    const auto found = find_mlx_blocking(python.native());
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::program_missing);
    EXPECT_THAT(
        found.error().message(), AllOf(HasSubstr(python.native()), HasSubstr(GetParam().says))
    );
    EXPECT_FALSE(found.error().hint().empty());
}

const Broken broken[] = {
    {"says_nothing", "exit 0", "did not say what it is (exit code 0)"},
    {"crashes", "kill -SEGV $$", "did not say what it is (signal 11"},
    {"babbles", "echo 'PUNIE-PROBE{\"mlx'; exit 1", "did not say what it is (exit code 1)"},
    {"no_mlx",
     R"(echo 'PUNIE-PROBE{"error": "x", "missing": "mlx"}')",
     "the Python module mlx is missing"},
    {"import_error",
     R"(echo 'PUNIE-PROBE{"error": "OSError: libblas"}')",
     "does not start: OSError: libblas"},
};
INSTANTIATE_TEST_SUITE_P(Table, BrokenInterpreter, testing::ValuesIn(broken), [](const auto& row) {
    return std::string(row.param.name);
});

TEST_F(FindMlx, AScriptOfAVanishedEnvironment) {
    const auto script = root() / "bin/mlx_lm.server";
    write(script, "#!/no/such/bin/python3\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    EXPECT_THAT(
        error_of(script.native()).message(),
        HasSubstr("was made for the interpreter /no/such/bin/python3")
    );
}

TEST_F(FindMlx, BecomesTheCapabilitiesOfTheServer) {
    const auto python = interpreter(root() / "venv/bin/python", answer("1.2.3"));
    Search search;
    search.explicit_path = python.native();
    const auto can = run_blocking(backend_for(BackendKind::mlx).capabilities(search));
    ASSERT_TRUE(can) << can.error().describe();
    EXPECT_THAT(can->program, ElementsAre(python.native(), "-m", "mlx_lm", "server"));
    EXPECT_EQ(can->version, "1.2.3");
    EXPECT_TRUE(std::filesystem::exists(can->kv_launcher));
    EXPECT_THAT(can->own_cache_types, ElementsAre("llama"));
}

TEST_F(FindMlx, PythonFilesAreWrittenOnceAndMended) {
    const auto file = python_asset("server_launcher.py");
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(file->filename(), "server_launcher.py");
    const auto text = read_text(*file);
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("--punie-max-kv-size"));
    write(*file, "damaged");
    EXPECT_EQ(*python_asset("server_launcher.py"), *file);
    EXPECT_EQ(*read_text(*file), *text);
    EXPECT_EQ(python_asset("nothing.py").error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace punie::backend
