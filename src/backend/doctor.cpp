#include "backend/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "backend/blocking.hpp"
#include "backend/kinds.hpp"
#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "process/child.hpp"
#include "process/guard_location.hpp"
#include "process/system.hpp"

namespace punie::backend {

namespace {

constexpr std::uint64_t little_memory = 2'000'000'000;  // a 1B model in 4 bits with room to answer
constexpr std::uint64_t little_disk = 5'000'000'000;    // one 7B model in 4 bits
constexpr Milliseconds version_limit{20'000};

Check ok(std::string name, std::string found) {
    return {
        .name = std::move(name), .status = CheckStatus::ok, .found = std::move(found), .to_do = {}
    };
}

Check bad(CheckStatus status, std::string name, std::string found, std::string to_do) {
    return {
        .name = std::move(name),
        .status = status,
        .found = std::move(found),
        .to_do = std::move(to_do)
    };
}

Check from_error(CheckStatus status, std::string name, const Error& error) {
    return bad(status, std::move(name), error.message(), error.hint());
}

void add_mlx(const Result<MlxInstallation>& mlx, std::vector<Check>& checks) {
    if (!mlx) {
        checks.push_back(from_error(CheckStatus::failed, "mlx_lm", mlx.error()));
        const std::string why = "not known without mlx_lm";
        for (const auto* name : {"python", "gpu", "training_callbacks"}) {
            checks.push_back(bad(CheckStatus::warning, name, why, "see mlx_lm"));
        }
        return;
    }
    checks.push_back(ok(
        "mlx_lm",
        fmt::format(
            "mlx-lm {}, mlx {}, found by {}", mlx->mlx_lm_version, mlx->mlx_version, mlx->found_by
        )
    ));
    checks.push_back(ok("python", fmt::format("{} ({})", mlx->python.native(), mlx->python_version))
    );
    auto gpu = std::string("on the GPU");
    if (mlx->metal)
        gpu += fmt::format(", working set up to {}", human_bytes(mlx->recommended_working_set));
    checks.push_back(ok("gpu", mlx->metal ? gpu : "on the CPU: everything works, slowly"));
    checks.push_back(
        mlx->training_callbacks ? ok("training_callbacks", "training reports through a callback")
                                : bad(CheckStatus::warning,
                                      "training_callbacks",
                                      fmt::format(
                                          "mlx-lm {} has no registry of callbacks: training is "
                                          "measured by its printed lines",
                                          mlx->mlx_lm_version
                                      ),
                                      "pip install -U mlx-lm")
    );
}

/// MLX's CPU back end on Linux compiles its kernels while it runs.
Task<Check> compiler_check(bool needed) {
    const auto program = process::find_program("g++");
    if (!program) {
        co_return needed
            ? bad(CheckStatus::failed,
                  "compiler",
                  "no g++, which MLX's CPU back end compiles kernels with while it runs",
                  "apt-get install g++ (or your system's package of it)")
            : ok("compiler", "no g++; not needed here");
    }
    process::SpawnOptions options;
    options.argv = {program->native(), "-dumpfullversion"};
    auto version = co_await process::run_to_end(std::move(options), version_limit);
    const bool answers = version && version->status.success();
    co_return answers ? ok("compiler", fmt::format("g++ {}", printable(trim(version->output))))
                      : bad(CheckStatus::warning,
                            "compiler",
                            fmt::format("{} does not run", program->native()),
                            "install it anew");
}

/// `backend` is one of the constant objects of the registry, which outlive everything.
Task<Check> program_check(const Backend* backend, std::string name) {
    const Search nowhere_in_particular;
    auto can = co_await backend->capabilities(nowhere_in_particular);
    if (can) co_return ok(name, fmt::format("{} {}", can->program.front(), can->version));
    co_return from_error(CheckStatus::warning, std::move(name), can.error());
}

Check guard_check() {
    const auto guard = process::find_guard();
    if (guard) return ok("guard", guard->native());
    return from_error(CheckStatus::failed, "guard", guard.error());
}

Check containment_check() {
    const auto level = process::available_containment();
    const auto name = std::string(process::name_of(level));
    switch (level) {
        case process::Containment::pid_namespace:
            return ok("containment", name + ": the kernel ends what a server starts");
        case process::Containment::kqueue_guard:
            return ok("containment", name);
        case process::Containment::subreaper:
            break;
    }
    return bad(
        CheckStatus::warning,
        "containment",
        name +
            ": process namespaces are not allowed to this user, so a guard and its twin end what a "
            "server starts",
        "nothing need be done; allowing unprivileged user namespaces makes it stronger"
    );
}

Check memory_check() {
    const auto memory = process::machine_memory();
    const auto found = fmt::format(
        "{} free of {}{}",
        human_bytes(memory.available),
        human_bytes(memory.total),
        memory.limited_by_container ? " (the container's limit)" : ""
    );
    if (memory.available >= little_memory) return ok("memory", found);
    return bad(
        CheckStatus::warning, "memory", found, "close other programs before loading a larger model"
    );
}

std::filesystem::path existing_part(std::filesystem::path path) {
    std::error_code ignored;
    while (!std::filesystem::exists(path, ignored) && path.has_relative_path())
        path = path.parent_path();
    return path;
}

Check disk_check() {
    const auto folder = existing_part(cache_folder());
    const auto free = process::disk_free(folder.native());
    if (!free)
        return bad(
            CheckStatus::warning, "disk", folder.native() + " cannot be looked at", "check its mode"
        );
    const auto found = fmt::format("{} free at {}", human_bytes(*free), folder.native());
    if (*free >= little_disk) return ok("disk", found);
    return bad(CheckStatus::warning, "disk", found, "free some space before downloading a model");
}

Check hub_check() {
    const auto folder = hub_folder();
    std::error_code error;
    std::size_t models = 0;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().filename().native().starts_with("models--")) ++models;
    }
    if (error == std::errc::no_such_file_or_directory) {
        return ok(
            "hub_cache",
            fmt::format("{} does not exist yet: no model was downloaded", folder.native())
        );
    }
    if (error) {
        return bad(
            CheckStatus::warning,
            "hub_cache",
            fmt::format("{}: {}", folder.native(), error.message()),
            "check its owner and mode"
        );
    }
    return ok("hub_cache", fmt::format("{} models in {}", models, folder.native()));
}

}  // namespace

std::string_view name_of(CheckStatus status) {
    static constexpr std::array names = {"ok", "warning", "failed"};
    return names.at(static_cast<std::size_t>(status));
}

CheckStatus DoctorReport::worst() const {
    const auto worst = std::ranges::max_element(checks, {}, &Check::status);
    return worst == checks.end() ? CheckStatus::ok : worst->status;
}

Task<DoctorReport> examine(Search search) {
    DoctorReport report;
    report.platform = process::platform_name();
    const auto mlx = co_await find_mlx(search.explicit_path);
    add_mlx(mlx, report.checks);
    report.checks.push_back(co_await compiler_check(mlx && !mlx->metal));
    report.checks.push_back(guard_check());
    report.checks.push_back(containment_check());
    report.checks.push_back(memory_check());
    report.checks.push_back(disk_check());
    report.checks.push_back(hub_check());
    report.checks.push_back(co_await program_check(&llama_backend(), "llama-server"));
    report.checks.push_back(co_await program_check(&vllm_backend(), "vllm"));
    co_return report;
}

DoctorReport examine_blocking(const Search& search) {
    return run_blocking(examine(search));
}

boost::json::value to_json(const DoctorReport& report) {
    boost::json::array checks;
    for (const auto& check : report.checks) {
        checks.push_back(boost::json::object{
            {"name", check.name},
            {"status", name_of(check.status)},
            {"found", check.found},
            {"to_do", check.to_do},
        });
    }
    return boost::json::object{
        {"platform", report.platform},
        {"worst", name_of(report.worst())},
        {"checks", std::move(checks)},
    };
}

}  // namespace punie::backend
