// punie.yaml, read section by section.
#include "fleet/config_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "base/files.hpp"
#include "base/text.hpp"
#include "base/tree_yaml.hpp"
#include "fleet/config_values.hpp"

extern char**
    environ;  // NOLINT(readability-redundant-declaration): glibc declares it, macOS does not

namespace punie::fleet {

namespace {

using tree::Node;

constexpr std::size_t largest_file = 4U << 20U;

class Reader {
public:
    Reader(const std::filesystem::path& file, const Environment& environment, KeyWatcher watcher)
        : environment_(environment), reading_{faults_, {}, {}, std::move(watcher)} {
        std::error_code ignored;
        config_.file = file;
        reading_.folder = std::filesystem::absolute(file, ignored).parent_path();
        const auto home = environment.find("HOME");
        if (home != environment.end()) reading_.home = home->second;
    }

    Result<GatewayConfig> read(std::string_view bytes) {
        if (bytes.size() > largest_file)
            return fail(ErrorCode::invalid_argument, "the file is larger than 4 MB");
        if (const auto text = tree::checked_text(bytes, config_.file, faults_)) {
            if (auto root = tree::read_yaml(*text, config_.file, faults_)) {
                put_in_environment(*root, environment_, faults_);
                all(*root);
            }
        }
        if (faults_.any()) return std::unexpected(faults_.error());
        return std::move(config_);
    }

private:
    void all(const Node& root) {
        ConfigFields fields(root, "file", "", reading_);
        if (!fields.is_map()) return;
        if (const auto* node = fields.take("listen")) listen(*node);
        if (const auto* node = fields.take("control")) control(*node);
        if (const auto* node = fields.take("keys")) {
            places_.keys_given = true;
            config_.keys = read_keys(*node, environment_, reading_, places_);
        }
        if (const auto* node = fields.take("models"))
            models(*node);
        else
            faults_.add(root.place, "models", "there is no model: a name and what stands for it");
        if (const auto* node = fields.take("groups")) groups(*node);
        if (const auto* node = fields.take("queue")) queue(*node);
        fields.size("memory", config_.memory);
        if (const auto* node = root.find("memory")) places_.memory = node->place;
        mlx_lm(fields);
        fields.path("log_folder", config_.log_folder);
        fields.path("capture", config_.capture);
        fields.path("state_folder", config_.state_folder);
        fields.finish();
        check_whole(config_, places_, faults_);
    }

    /// A path, or the name of a program that is looked for.
    void mlx_lm(ConfigFields& fields) {
        fields.text("mlx_lm", config_.mlx_lm);
        if (config_.mlx_lm.find('/') != std::string::npos)
            config_.mlx_lm = path_in(reading_, config_.mlx_lm).native();
    }

    ListenSpec address(const Node& node, std::string_view section, const std::string& path) {
        ListenSpec spec;
        ConfigFields fields(node, section, path, reading_);
        if (!fields.is_map()) return spec;
        fields.text("host", spec.host);
        int port = spec.port;
        fields.whole("port", port, 0, 65'535);
        spec.port = static_cast<std::uint16_t>(port);
        fields.path("certificate", spec.certificate);
        fields.path("key", spec.key);
        fields.texts("hosts", spec.hosts);
        fields.texts("origins", spec.origins);
        fields.finish();
        return spec;
    }

    void listen(const Node& node) {
        config_.listen.clear();
        if (node.kind != Node::Kind::list) {
            config_.listen.push_back(address(node, "listen", "listen"));
            places_.listen.push_back(node.place);
            return;
        }
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            config_.listen.push_back(address(node.items[i], "listen", fmt::format("listen[{}]", i))
            );
            places_.listen.push_back(node.items[i].place);
        }
        if (node.items.empty())
            faults_.add(node.place, "listen", "an empty list: nothing could be asked");
    }

    void control(const Node& node) {
        ConfigFields fields(node, "control", "control", reading_);
        if (!fields.is_map()) return;
        fields.path("socket", config_.control_socket);
        if (const auto* port = fields.take("listen")) {
            config_.control = address(*port, "listen", "control.listen");
            places_.control = port->place;
            if (port->find("port") == nullptr)
                faults_.add(port->place, "control.listen.port", "the control port must be given");
        }
        fields.finish();
    }

    void models(const Node& node) {
        ConfigFields fields(node, "models", "models", reading_);
        if (!fields.is_map()) return;
        if (node.members.empty())
            faults_.add(node.place, "models", "there is no model: a name and what stands for it");
        for (const auto& [name, place, value] : node.members) {
            places_.models.emplace(name, place);
            config_.models.push_back(read_model(name, value, reading_));
        }
    }

    void groups(const Node& node) {
        ConfigFields fields(node, "groups", "groups", reading_);
        if (!fields.is_map()) return;
        for (const auto& [name, place, value] : node.members) {
            places_.groups.emplace(name, place);
            Group group;
            group.name = name;
            ConfigFields part(value, "group", "groups." + name, reading_);
            if (!part.is_map()) continue;
            part.texts("models", group.models);
            part.flag("together", group.together);
            part.flag("exclusive", group.exclusive);
            part.finish();
            if (group.models.empty())
                faults_.add(place, "groups." + name, "a group names its `models`");
            config_.groups.push_back(std::move(group));
        }
    }

    void queue(const Node& node) {
        ConfigFields fields(node, "queue", "queue", reading_);
        if (!fields.is_map()) return;
        auto& queue = config_.queue;
        fields.whole("requests", queue.requests, 1, 1'000'000);
        fields.size("bytes", queue.bytes);
        fields.time("wait", queue.wait);
        fields.time("drain", queue.drain);
        fields.time("fairness", queue.fairness);
        fields.time("min_loaded", queue.min_loaded);
        fields.finish();
    }

    const Environment& environment_;
    GatewayConfig config_;
    Places places_;
    tree::Faults faults_;
    Reading reading_;
};

Environment own_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != std::string_view::npos)
            environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

}  // namespace

Result<GatewayConfig> read_gateway_config_watched(
    std::string_view text,
    const std::filesystem::path& file,
    const Environment& environment,
    const KeyWatcher& watcher
) {
    return Reader(file, environment, watcher).read(text);
}

Result<GatewayConfig> read_gateway_config(
    std::string_view text,
    const std::filesystem::path& file,
    const std::map<std::string, std::string>& environment
) {
    return read_gateway_config_watched(text, file, environment, {});
}

Result<GatewayConfig> load_gateway_config(const std::filesystem::path& file) {
    auto text = read_text(file, largest_file);
    if (!text) return std::unexpected(std::move(text).error());
    return read_gateway_config(*text, file, own_environment());
}

}  // namespace punie::fleet
