#include "backend/answer_cache.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

fs::path file_of(std::string_view key) {
    return cache_folder() / "answers" / (content_hash(key) + ".json");
}

/// Modification time in nanoseconds and size: "1700000000123456789-4096"; "" if the file is not
/// there.
std::string stamp_of(const fs::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return {};
#ifdef __APPLE__
    const auto& time = status.st_mtimespec;
#else
    const auto& time = status.st_mtim;
#endif
    return fmt::format("{}.{:09}-{}-{}", time.tv_sec, time.tv_nsec, status.st_size, status.st_ino);
}

}  // namespace

std::string content_hash(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3ULL;
    return fmt::format("{:016x}", hash);
}

std::optional<json::value> cached_answer(std::string_view key) {
    const auto text = read_text(file_of(key), 16U << 20U);
    if (!text) return std::nullopt;
    const auto kept = parse_json(*text);
    if (!kept || string_member(*kept, "key") != key) return std::nullopt;
    const auto* watched = member(*kept, "watched");
    const auto* answer = member(*kept, "answer");
    if (watched == nullptr || !watched->is_object() || answer == nullptr) return std::nullopt;
    for (const auto& [file, stamp] : watched->get_object()) {
        if (!stamp.is_string() || stamp.get_string().empty()) return std::nullopt;
        if (stamp_of(std::string(file)) != stamp.get_string()) return std::nullopt;
    }
    return *answer;
}

void keep_answer(
    std::string_view key, const json::value& answer, const std::vector<fs::path>& watched
) {
    json::object stamps;
    for (const auto& file : watched) stamps[file.native()] = stamp_of(file);
    const json::object kept = {{"key", key}, {"watched", std::move(stamps)}, {"answer", answer}};
    const auto written = write_atomic(file_of(key), to_text(kept));
    static_cast<void>(written);  // without a cache everything works, only slower
}

}  // namespace punie::backend
