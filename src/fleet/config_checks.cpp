// What needs the whole configuration to be seen.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "fleet/config_reader.hpp"
#include "http/url.hpp"

namespace punie::fleet {

namespace {

class Checks {
public:
    Checks(const GatewayConfig& config, const Places& places, tree::Faults& faults)
        : config_(config), places_(places), faults_(faults) {
        for (const auto& model : config_.models) all_names_.push_back(model.name);
    }

    void all() {
        names();
        groups();
        keys();
        fallbacks();
        memory();
        for (std::size_t i = 0; i < config_.listen.size(); ++i)
            address(config_.listen[i], places_.listen, i);
        ports();
        control();
    }

private:
    const tree::Place& place_of(const std::string& model) const { return places_.models.at(model); }

    void fault(const std::string& model, std::string_view key, const std::string& message) {
        faults_.add(place_of(model), fmt::format("models.{}{}", model, key), message);
    }

    std::string unknown(const std::string& name) const {
        const auto close = nearest(name, all_names_);
        return close
                   ? fmt::format("there is no model `{}`; did you mean `{}`?", name, *close)
                   : fmt::format("there is no model `{}`; there is {}", name, join_or(all_names_));
    }

    /// Models, aliases and "base:adapter" share one space of names.
    void names() {
        std::map<std::string, std::string> owners;
        for (const auto& model : config_.models) owners.emplace(model.name, model.name);
        const auto take = [&](const std::string& name, const ModelSpec& model, const char* what) {
            const auto [owner, fresh] = owners.emplace(name, model.name);
            if (fresh) return;
            fault(
                model.name,
                "",
                fmt::format("the {} `{}` is also a name of {}", what, name, owner->second)
            );
        };
        for (const auto& model : config_.models) {
            for (const auto& alias : model.aliases) take(alias, model, "alias");
        }
        for (const auto& model : config_.models) {
            for (const auto& adapter : model.adapters) {
                take(fmt::format("{}:{}", model.name, adapter.name), model, "adapter's name");
                for (const auto& alias : model.aliases)
                    take(fmt::format("{}:{}", alias, adapter.name), model, "adapter's name");
            }
        }
        for (const auto& [name, owner] : owners) {
            if (std::ranges::find(all_names_, name) == all_names_.end()) all_names_.push_back(name);
        }
    }

    void groups() {
        for (const auto& group : config_.groups) {
            const auto& place = places_.groups.at(group.name);
            const auto path = "groups." + group.name;
            for (const auto& name : group.models) {
                const auto* model = config_.find(name);
                if (model == nullptr || model->name != name) {
                    faults_.add(place, path, unknown(name));
                    continue;
                }
                if (model->upstream)
                    faults_.add(place, path, fmt::format("{} is not ours to load or unload", name));
                if (model->pin && (!group.together || group.exclusive) && others_than(group, name))
                    faults_.add(
                        place,
                        path,
                        fmt::format(
                            "{} is pinned, so that what may not be loaded beside it could never be "
                            "loaded",
                            name
                        )
                    );
            }
        }
    }

    bool others_than(const Group& group, const std::string& name) const {
        if (!group.together && group.models.size() > 1) return true;
        return group.exclusive && std::ranges::any_of(config_.models, [&](const ModelSpec& model) {
                   const bool in =
                       std::ranges::find(group.models, model.name) != group.models.end();
                   return !in && !model.pin && !model.upstream && model.name != name;
               });
    }

    void keys() {
        for (const auto& key : config_.keys) {
            for (const auto& name : key.models) {
                if (std::ranges::find(all_names_, name) == all_names_.end())
                    faults_.add(
                        places_.keys.at(key.name), fmt::format("keys.{}", key.name), unknown(name)
                    );
            }
        }
    }

    void fallbacks() {
        for (const auto& model : config_.models) {
            for (const auto& name : model.fallbacks) {
                if (std::ranges::find(all_names_, name) == all_names_.end())
                    fault(model.name, ".fallbacks", unknown(name));
            }
            std::set<std::string> seen;
            if (leads_to(model, model.name, seen))
                fault(model.name, ".fallbacks", "they lead back to the model itself");
        }
    }

    bool leads_to(const ModelSpec& from, const std::string& goal, std::set<std::string>& seen) {
        return std::ranges::any_of(from.fallbacks, [&](const std::string& name) {
            const auto* next = config_.find(name.substr(0, name.find(':')));
            if (const auto* whole = config_.find(name)) next = whole;
            if (next == nullptr) return false;
            if (next->name == goal) return true;
            return seen.insert(next->name).second && leads_to(*next, goal, seen);
        });
    }

    void memory() {
        const auto budget = memory_budget_of(config_);
        std::uint64_t always = 0;
        std::uint64_t first = 0;
        for (const auto& model : config_.models) {
            if (model.memory.value_or(0) > budget)
                fault(
                    model.name,
                    ".memory",
                    fmt::format(
                        "{} is over the budget of {} (`memory`)",
                        human_bytes(*model.memory),
                        human_bytes(budget)
                    )
                );
            if (model.pin) always += model.memory.value_or(0);
            if (model.pin || model.preload) first += model.memory.value_or(0);
        }
        const auto too_much = [&](std::uint64_t bytes, std::string_view what) {
            faults_.add(
                places_.memory,
                "memory",
                fmt::format(
                    "{} need {} together, the budget is {}",
                    what,
                    human_bytes(bytes),
                    human_bytes(budget)
                )
            );
        };
        if (always > budget)
            too_much(always, "pinned models");
        else if (first > budget)
            too_much(first, "pinned and preloaded models");
    }

    void address(
        const ListenSpec& spec, const std::vector<tree::Place>& places, std::size_t index
    ) {
        const auto place = index < places.size() ? places[index] : tree::Place{};
        if (spec.certificate.empty() != spec.key.empty())
            faults_.add(
                place,
                "listen",
                spec.key.empty() ? "`certificate` without `key`: TLS needs both"
                                 : "`key` without `certificate`: TLS needs both"
            );
        if (config_.keys.empty() && !places_.keys_given && !http::is_loopback(spec.host))
            faults_.add(
                place,
                "listen.host",
                fmt::format(
                    "{} can be reached from other machines, and there are no `keys`: add one "
                    "(key_file or key_env), or listen on 127.0.0.1",
                    spec.host
                )
            );
    }

    void ports() {
        std::set<std::pair<std::string, int>> seen;
        auto all = config_.listen;
        if (config_.control) all.push_back(*config_.control);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].port == 0 || seen.emplace(all[i].host, all[i].port).second) continue;
            faults_.add(
                i < places_.listen.size() ? places_.listen[i] : places_.control,
                "listen",
                fmt::format("{}:{} stands twice", all[i].host, all[i].port)
            );
        }
    }

    void control() {
        if (!config_.control) return;
        address(*config_.control, {places_.control}, 0);
        const bool broken = places_.keys_given && config_.keys.empty();
        if (!broken && std::ranges::none_of(config_.keys, &KeySpec::control))
            faults_.add(
                places_.control, "control.listen", "nobody could use it: no key has `control: true`"
            );
    }

    const GatewayConfig& config_;
    const Places& places_;
    tree::Faults& faults_;
    std::vector<std::string> all_names_;
};

}  // namespace

void check_whole(const GatewayConfig& config, const Places& places, tree::Faults& faults) {
    Checks(config, places, faults).all();
}

}  // namespace punie::fleet
