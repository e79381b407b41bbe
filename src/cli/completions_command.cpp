// cli/completions_command.cpp: `punie completions bash|zsh|fish`, made from the command tree
// itself.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.hpp"

namespace punie::cli {

namespace {

struct Node {
    std::string path;  ///< "bench train"; "" for punie itself
    std::string description;
    std::vector<std::string> subcommands;
    std::vector<std::pair<std::string, std::string>> options;  ///< "--model", its description
};

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
    Node node{.path = path, .description = app.get_description(), .subcommands = {}, .options = {}};
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames())
            node.options.emplace_back("--" + name, option->get_description());
    }
    for (const auto* sub : app.get_subcommands({})) node.subcommands.push_back(sub->get_name());
    nodes.push_back(std::move(node));
    for (const auto* sub : app.get_subcommands({})) {
        collect(*sub, path.empty() ? sub->get_name() : path + ' ' + sub->get_name(), nodes);
    }
}

std::string words(const Node& node) {
    std::string text;
    for (const auto& sub : node.subcommands) text += sub + ' ';
    for (const auto& [name, description] : node.options) text += name + ' ';
    if (!text.empty()) text.pop_back();
    return text;
}

/// The shells' common core: the sub-command path from the words typed so far, then that node's
/// words.
std::string bash_script(const std::vector<Node>& nodes) {
    std::string cases;
    std::string paths;
    for (const auto& node : nodes) {
        cases += fmt::format("        \"{}\") words=\"{}\" ;;\n", node.path, words(node));
        if (!node.path.empty()) paths += fmt::format("|{}", node.path);
    }
    return fmt::format(
        R"(# punie completion for bash: source <(punie completions bash)
_punie() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} path="" words="" i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "|{0}|" in
            *"|${{path:+$path }}${{COMP_WORDS[i]}}|"*) path="${{path:+$path }}${{COMP_WORDS[i]}}" ;;
        esac
    done
    case "$previous" in
        --model|--adapter|--data|--mlx-lm|--log-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
        --backend) COMPREPLY=($(compgen -W "mlx llama vllm" -- "$current")); return ;;
    esac
    case "$path" in
{1}    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o filenames -F _punie punie
)",
        paths.empty() ? "" : paths.substr(1),
        cases
    );
}

std::string zsh_script(const std::vector<Node>& nodes) {
    return "#compdef punie\n# punie completion for zsh: source <(punie completions zsh)\nautoload "
           "-U +X bashcompinit && bashcompinit\n" +
           bash_script(nodes);
}

std::string fish_quoted(const std::string& text) {
    std::string out;
    for (const char c : text)
        out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out;
}

std::string fish_condition(const std::string& path) {
    if (path.empty()) return "__fish_use_subcommand";
    std::string condition;
    std::string word;
    for (const char c : path + ' ') {
        if (c != ' ') {
            word += c;
            continue;
        }
        condition += fmt::format(
            "{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word
        );
        word.clear();
    }
    return condition;
}

std::string fish_script(const std::vector<Node>& nodes) {
    std::string text = "# punie completion for fish: punie completions fish | source\n";
    for (const auto& node : nodes) {
        const auto condition = fish_condition(node.path);
        for (const auto& sub : node.subcommands) {
            std::string description;
            for (const auto& other : nodes) {
                if (other.path == (node.path.empty() ? sub : node.path + ' ' + sub))
                    description = other.description;
            }
            text += fmt::format(
                "complete -c punie -n '{}' -f -a {} -d '{}'\n",
                condition,
                sub,
                fish_quoted(description)
            );
        }
        for (const auto& [name, description] : node.options) {
            text += fmt::format(
                "complete -c punie -n '{}' -l {} -d '{}'\n",
                condition,
                name.substr(2),
                fish_quoted(description)
            );
        }
    }
    return text;
}

}  // namespace

void add_completions(CLI::App& app, Commands& commands) {
    auto shell = std::make_shared<std::string>();
    auto* sub = app.add_subcommand("completions", "Print the completion script of a shell");
    sub->add_option("shell", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    sub->footer("Examples:\n  source <(punie completions bash)\n  punie completions fish | source");
    commands.on(sub, [shell, &app](Terminal& terminal) {
        std::vector<Node> nodes;
        collect(app, "", nodes);
        terminal.print_raw(
            *shell == "bash"  ? bash_script(nodes)
            : *shell == "zsh" ? zsh_script(nodes)
                              : fish_script(nodes)
        );
        return ExitCode::done;
    });
}

}  // namespace punie::cli
