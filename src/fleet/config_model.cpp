// One model of punie.yaml.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

#include "base/text.hpp"
#include "fleet/config_reader.hpp"
#include "http/url.hpp"

namespace punie::fleet {

namespace {

namespace fs = std::filesystem;
using tree::Node;

constexpr int most_tokens = 100'000'000;
constexpr int most_parallel = 100'000;
constexpr int most_priority = 1000;

bool is_gguf(const std::string& path) {
    return path.ends_with(".gguf");
}

/// A path as the backend gets it: relative ones are the file's folder's; "org/name" that is no
/// path here is the name of a repository.
std::string model_path(const std::string& text, const Reading& reading) {
    const auto path = path_in(reading, text);
    if (text.starts_with('.') || text.starts_with('/') || text.starts_with('~') || is_gguf(text))
        return path.native();
    std::error_code ignored;
    if (fs::exists(path, ignored) || fs::exists(path.parent_path(), ignored)) return path.native();
    return std::ranges::count(text, '/') == 1 ? text : path.native();
}

class ModelReader {
public:
    ModelReader(const std::string& name, const Node& node, Reading& reading)
        : reading_(reading), path_("models." + name), node_(node) {
        spec_.name = name;
        spec_.server.port = 0;  // the kernel's choice
    }

    ModelSpec read() {
        check_name(spec_.name, node_);
        if (node_.kind == Node::Kind::text) {  // name: path
            spec_.server.model_path = model_path(node_.text, reading_);
            guess_backend();
            return std::move(spec_);
        }
        ConfigFields fields(node_, "model", path_, reading_);
        if (!fields.is_map()) return std::move(spec_);
        names(fields);
        if (const auto* upstream = fields.take("upstream")) {
            read_upstream(*upstream);
            refuse_what_is_ours(fields);
        } else {
            server(fields);
            process(fields);
        }
        sampling(fields);
        fields.whole("parallel", spec_.parallel, 1, most_parallel);
        fields.time("silence", spec_.silence);
        fields.whole("priority", spec_.priority, -most_priority, most_priority);
        fields.finish();
        if (!spec_.server.model_path.empty() || spec_.upstream) check_server_config();
        return std::move(spec_);
    }

private:
    void fault(const Node& at, std::string_view key, std::string_view message) {
        reading_.faults.add(at.place, fmt::format("{}.{}", path_, key), message);
    }

    void check_name(const std::string& name, const Node& at) {
        const auto allowed = [](unsigned char c) {
            return std::isalnum(c) != 0 ||
                   std::string_view("._:/@+-").find(static_cast<char>(c)) != std::string_view::npos;
        };
        if (!name.empty() && name.size() <= 200 && std::ranges::all_of(name, allowed)) return;
        reading_.faults.add(
            at.place,
            path_,
            fmt::format(
                "\"{}\" is no name for a model: letters, digits and . _ : / @ + - are allowed, at "
                "most 200",
                printable(name).substr(0, 80)
            )
        );
    }

    void names(ConfigFields& fields) {
        fields.texts("aliases", spec_.aliases);
        for (const auto& alias : spec_.aliases) check_name(alias, *node_.find("aliases"));
        fields.texts("fallbacks", spec_.fallbacks);
    }

    void guess_backend() {
        if (is_gguf(spec_.server.model_path)) spec_.server.backend = BackendKind::llama;
    }

    void read_upstream(const Node& node) {
        UpstreamSpec upstream;
        ConfigFields fields(node, "upstream", path_ + ".upstream", reading_);
        if (!fields.is_map()) return;
        fields.text("url", upstream.url);
        fields.text("model", upstream.model);
        fields.text("key_env", upstream.api_key_env);
        for (const auto* inline_key : {"key", "api_key"})
            fields.refuse(
                inline_key,
                "a key does not stand in this file, which is copied and shown: put it into an "
                "environment variable and name that with `key_env`"
            );
        fields.finish();
        const auto url = http::parse_url(upstream.url);
        if (upstream.url.empty())
            fault(node, "upstream", "`url` is missing, such as https://host:port/v1");
        else if (!url)
            fault(node, "upstream.url", url.error().message());
        else if (!url->authorization.empty())
            fault(node, "upstream.url", "a password does not stand in this file: use `key_env`");
        spec_.server.backend = BackendKind::openai;
        spec_.server.url = upstream.url;
        spec_.server.model_path = upstream.model;
        spec_.upstream = std::move(upstream);
    }

    /// Options of a start have no meaning where nothing is started: taking them would be dropping
    /// them silently.
    void refuse_what_is_ours(ConfigFields& fields) {
        for (const auto* key :
             {"backend",
              "path",
              "adapter",
              "adapters",
              "max_kv_size",
              "context_size",
              "arguments",
              "environment",
              "port",
              "log_file",
              "memory",
              "restart_above",
              "ttl",
              "pin",
              "preload",
              "start_timeout",
              "stop_grace",
              "stop_command"})
            fields.refuse(
                key, "has no meaning with `upstream`, which is not ours to start, stop or measure"
            );
    }

    void server(ConfigFields& fields) {
        auto& server = spec_.server;
        std::string path;
        fields.text("path", path);
        if (path.empty())
            fault(
                node_,
                "path",
                "a model needs `path` (a folder, a .gguf file, org/name) or `upstream`"
            );
        server.model_path = model_path(path, reading_);
        guess_backend();
        if (const auto* node = fields.take("backend")) {
            const auto kind = backend_from_name(node->text);
            if (!kind || *kind == BackendKind::openai)
                fields.wrong("backend", *node, "mlx, llama or vllm (`upstream` for others)");
            else
                server.backend = *kind;
        }
        fs::path adapter;
        fields.path("adapter", adapter);
        server.adapter_path = adapter.native();
        if (const auto* node = fields.take("adapters")) adapters(*node);
        fields.whole("max_kv_size", server.max_kv_size, 1, most_tokens);
        fields.whole("context_size", server.context_size, 1, most_tokens);
        fields.texts("arguments", server.extra_arguments);
        if (const auto* node = fields.take("environment")) environment(*node);
        fields.whole("port", server.port, 0, 65'535);
        fs::path log;
        fields.path("log_file", log);
        server.log_file = log.native();
    }

    void adapters(const Node& node) {
        if (spec_.server.backend != BackendKind::mlx) {
            fault(
                node,
                "adapters",
                "only mlx takes an adapter with each request; give each adapter a model of its own "
                "with `adapter`"
            );
            return;
        }
        if (node.kind != Node::Kind::map) {
            fault(node, "adapters", "expected names and folders, found " + describe(node));
            return;
        }
        for (const auto& [name, place, value] : node.members) {
            if (value.kind != Node::Kind::text || value.text.empty()) {
                fault(
                    value,
                    "adapters." + name,
                    "expected the adapter's folder, found " + describe(value)
                );
                continue;
            }
            spec_.adapters.push_back({name, path_in(reading_, value.text)});
            check_name(fmt::format("{}:{}", spec_.name, name), value);
        }
    }

    void environment(const Node& node) {
        if (node.kind != Node::Kind::map) {
            fault(node, "environment", "expected names and values, found " + describe(node));
            return;
        }
        for (const auto& [name, place, value] : node.members) {
            if (!value.is_scalar())
                fault(value, "environment." + name, "expected text, found " + describe(value));
            else
                spec_.server.environment.emplace(name, value.text);
        }
    }

    void process(ConfigFields& fields) {
        fields.size("memory", spec_.memory);
        fields.size("restart_above", spec_.restart_above);
        fields.time("ttl", spec_.ttl);
        fields.flag("pin", spec_.pin);
        fields.flag("preload", spec_.preload);
        fields.time("start_timeout", spec_.start_timeout);
        fields.time("stop_grace", spec_.stop_grace);
        fields.texts("stop_command", spec_.stop_command);
        if (spec_.ttl && spec_.ttl->count() == 0)
            fault(
                *node_.find("ttl"),
                "ttl",
                "0 would unload it after each answer; leave it out for "
                "never"
            );
    }

    void sampling(ConfigFields& fields) {
        fields.flag("sampling_overridable", spec_.sampling_overridable);
        const auto* node = fields.take("sampling");
        if (node == nullptr) return;
        auto& into = spec_.server.sampling;
        ConfigFields part(*node, "sampling", path_ + ".sampling", reading_);
        if (!part.is_map()) return;
        part.number("temperature", into.temperature, 0, 2);
        part.number("top_p", into.top_p, 0, 1);
        part.whole("top_k", into.top_k, 0, most_tokens);
        part.number("min_p", into.min_p, 0, 1);
        part.whole("max_tokens", into.max_tokens, 1, most_tokens);
        part.number("repetition_penalty", into.repetition_penalty, 0, 10);
        part.whole("repetition_context_size", into.repetition_context_size, 1, most_tokens);
        part.finish();
    }

    void check_server_config() {
        const auto checked = make_server_config(spec_.server);
        if (!checked) reading_.faults.add(node_.place, path_, checked.error().message());
    }

    Reading& reading_;
    std::string path_;
    const Node& node_;
    ModelSpec spec_;
};

}  // namespace

ModelSpec read_model(const std::string& name, const Node& node, Reading& reading) {
    return ModelReader(name, node, reading).read();
}

}  // namespace punie::fleet
