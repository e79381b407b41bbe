#pragma once
// The gateway as a service of the user's session: a systemd unit or a launchd job, as text. Pure.

#include <string>
#include <vector>

namespace punie::cli {

struct ServiceSpec {
    std::string program;             ///< absolute
    std::vector<std::string> words;  ///< {"serve", "/home/me/punie.yaml"}
    std::string path;                ///< PATH of the service: where mlx_lm and others are found
    std::string log;                 ///< launchd only: systemd has the journal
};

/// `~/.config/systemd/user/punie.service`, see systemd.service(5).
std::string systemd_unit(const ServiceSpec& spec);

/// `~/Library/LaunchAgents/dev.punie.gateway.plist`, see launchd.plist(5).
std::string launchd_job(const ServiceSpec& spec);

/// One word of ExecStart as systemd reads it back: quoted, with its own escapes.
std::string systemd_word(const std::string& word);

}  // namespace punie::cli
