// punie.yaml: never a crash, and what is accepted keeps its promises.
#include <algorithm>
#include <set>
#include <string>

#include "fleet/config_values.hpp"
#include "fleet/gateway_config.hpp"
#include "fuzz_input.hpp"

namespace punie::fleet {

/// In the place of budget.cpp, which asks the machine: the same file, the same outcome everywhere.
std::uint64_t memory_budget_of(const GatewayConfig& config) {
    return config.memory.value_or(16'000'000'000);
}

}  // namespace punie::fleet

namespace {

using punie::fuzz::require;

void check(const punie::fleet::GatewayConfig& config) {
    require(!config.models.empty(), "there is a model");
    require(!config.listen.empty(), "it listens somewhere");
    std::set<std::string> names;
    for (const auto& model : config.models) {
        require(names.insert(model.name).second, "names are unique");
        for (const auto& alias : model.aliases)
            require(names.insert(alias).second, "aliases are unique too");
        require(model.parallel >= 1, "something can be asked");
        require(!model.ttl || model.ttl->count() > 0, "a time to live is over zero");
        const bool path = !model.server.model_path.empty();
        require(path || model.upstream, "it stands for something");
    }
    for (const auto& key : config.keys) require(!key.value.empty(), "a key has a value");
    for (const auto& listen : config.listen)
        require(listen.certificate.empty() == listen.key.empty(), "TLS has certificate and key");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = punie::fuzz::text_of(data, size);
    const std::map<std::string, std::string> environment = {{"HOME", "/home/x"}, {"A", "1"}};
    const auto config =
        punie::fleet::read_gateway_config(text, "/no-such-folder/punie.yaml", environment);
    if (config) {
        check(*config);
    } else {
        const auto& message = config.error().message();
        require(!message.empty(), "an error has a message");
        require(std::ranges::count(message, '\n') <= 20, "twenty faults and a word on the others");
        require(message.find('\x1b') == std::string::npos, "no control sequence is shown");
    }
    if (const auto time = punie::fleet::parse_time(text))
        require(
            punie::fleet::parse_time(punie::fleet::time_text(*time)) == *time,
            "a time written is read as the same"
        );
    (void)punie::fleet::parse_size(text);
    return 0;
}
