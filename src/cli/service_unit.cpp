#include "cli/service_unit.hpp"

#include <fmt/format.h>

namespace punie::cli {

std::string systemd_word(const std::string& word) {
    std::string text = "\"";
    for (const char byte : word) {
        switch (byte) {
            case '\\':
            case '"':
                text += '\\';
                text += byte;
                break;
            case '%':  // a specifier
            case '$':  // a variable
                text += byte;
                text += byte;
                break;
            case '\n':
                text += "\\n";
                break;
            default:
                text += byte;
        }
    }
    return text + '"';
}

namespace {

/// A value of Environment=: as a word, but a dollar is plain there.
std::string environment_word(const std::string& word) {
    std::string text = "\"";
    for (const char byte : word) {
        if (byte == '\\' || byte == '"') text += '\\';
        if (byte == '%') text += '%';
        text += byte;
    }
    return text + '"';
}

std::string xml(const std::string& value) {
    std::string text;
    for (const char byte : value) {
        switch (byte) {
            case '&':
                text += "&amp;";
                break;
            case '<':
                text += "&lt;";
                break;
            case '>':
                text += "&gt;";
                break;
            default:
                text += byte;
        }
    }
    return text;
}

}  // namespace

std::string systemd_unit(const ServiceSpec& spec) {
    auto command = systemd_word(spec.program);
    for (const auto& word : spec.words) command += fmt::format(" {}", systemd_word(word));
    return fmt::format(
        "# Written by punie service install; punie service uninstall removes it.\n"
        "[Unit]\n"
        "Description=Punie, one endpoint for many language models\n"
        "StartLimitIntervalSec=60\n"
        "StartLimitBurst=5\n"
        "\n"
        "[Service]\n"
        "# READY=1 comes when it listens, WATCHDOG=1 every second from its event loop.\n"
        "Type=notify\n"
        "NotifyAccess=main\n"
        "ExecStart={}\n"
        "ExecReload=/bin/kill -HUP $MAINPID\n"
        "Environment={}\n"
        "# Keys of upstreams and clients: NAME=value lines, read by nobody else (chmod 600).\n"
        "EnvironmentFile=-%h/.config/punie/environment\n"
        "WatchdogSec=30\n"
        "Restart=on-failure\n"
        "RestartSec=2\n"
        "# The gateway ends its servers itself; what is left after it is killed.\n"
        "KillMode=mixed\n"
        "TimeoutStopSec=90\n"
        "# As Punie ends for SIGTERM.\n"
        "SuccessExitStatus=130\n"
        "\n"
        "[Install]\n"
        "WantedBy=default.target\n",
        command,
        environment_word("PATH=" + spec.path)
    );
}

std::string launchd_job(const ServiceSpec& spec) {
    auto words = fmt::format("    <string>{}</string>\n", xml(spec.program));
    for (const auto& word : spec.words)
        words += fmt::format("    <string>{}</string>\n", xml(word));
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
        "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
        "<plist version=\"1.0\">\n"
        "<dict>\n"
        "  <key>Label</key>\n"
        "  <string>dev.punie.gateway</string>\n"
        "  <key>ProgramArguments</key>\n"
        "  <array>\n"
        "{}"
        "  </array>\n"
        "  <key>EnvironmentVariables</key>\n"
        "  <dict>\n"
        "    <key>PATH</key>\n"
        "    <string>{}</string>\n"
        "  </dict>\n"
        "  <key>RunAtLoad</key>\n"
        "  <true/>\n"
        "  <key>KeepAlive</key>\n"
        "  <dict>\n"
        "    <key>SuccessfulExit</key>\n"
        "    <false/>\n"
        "  </dict>\n"
        "  <key>ExitTimeOut</key>\n"
        "  <integer>90</integer>\n"
        "  <key>ProcessType</key>\n"
        "  <string>Interactive</string>\n"
        "  <key>StandardOutPath</key>\n"
        "  <string>{}</string>\n"
        "  <key>StandardErrorPath</key>\n"
        "  <string>{}</string>\n"
        "</dict>\n"
        "</plist>\n",
        words,
        xml(spec.path),
        xml(spec.log),
        xml(spec.log)
    );
}

}  // namespace punie::cli
