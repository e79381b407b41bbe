#pragma once
// How Punie reports failure: `std::expected<T, punie::Error>`, never a thrown exception.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace punie {

/// What kind of failure it was, for code that reacts to it. The message is for the person.
enum class ErrorCode {
    invalid_argument,  ///< a value given by the caller: names the field, what was found, what is
                       ///< allowed
    not_found,         ///< a file, folder, model or program that was named does not exist
    unsupported,       ///< the installed tool or this platform cannot do what was asked
    program_missing,   ///< a program that is needed is not installed or does not start
    model_invalid,     ///< the model's files are not what the backend can load
    adapter_mismatch,  ///< the adapter's tensors do not fit the model
    port_in_use,       ///< another process listens on the port (named in the message)
    foreign_server,    ///< an answer came from a server that is not ours
    exited,            ///< the child ended: exit code or signal and last log lines
    out_of_memory,  ///< the machine's memory does not suffice, or the system killed the child for
                    ///< it
    disk_full,      ///< no space left on a device
    timeout,        ///< a deadline passed: says what was awaited and for how long
    cancelled,      ///< the caller asked to stop
    connection,     ///< connecting, TLS or the transport failed
    http_status,    ///< the server answered with an error status
    protocol,       ///< the peer's bytes are not what its protocol allows
    io,             ///< a system call on a file, pipe or process failed
    state,          ///< the call does not fit the present state
};

/// The code's name as written in `--json` output, e.g. "port_in_use".
std::string_view name_of(ErrorCode code);

/// A failure: a code for programs; a message, a way out and the last log lines for a person.
/// Value type; moving is cheap. Thread: as any value.
class [[nodiscard]] Error {
public:
    Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

    ErrorCode code() const { return code_; }

    /// One sentence: what was found and what was expected.
    const std::string& message() const { return message_; }

    /// What the person can do about it; may be empty.
    const std::string& hint() const { return hint_; }

    /// The last lines that the child printed, oldest first; empty when no child is involved.
    const std::vector<std::string>& log_tail() const { return log_tail_; }

    /// Exit status of the child in words ("exit code 2", "signal 9 (Killed)"); empty if none.
    const std::string& exit_status() const { return exit_status_; }

    /// HTTP status of an http_status error, else 0.
    int http_status() const { return http_status_; }

    /// Puts where it happened in front of the message: `error.in("suite.yaml")` -> "suite.yaml:
    /// ...".
    Error in(std::string_view where) &&;
    Error with_hint(std::string hint) &&;
    Error with_log(std::vector<std::string> lines) &&;
    Error with_exit_status(std::string status) &&;
    Error with_http_status(int status) &&;

    /// The whole report as `punie` prints it: message, indented log lines, "hint: ...". No final
    /// newline.
    std::string describe() const;

private:
    ErrorCode code_;
    std::string message_;
    std::string hint_;
    std::vector<std::string> log_tail_;
    std::string exit_status_;
    int http_status_ = 0;
};

template <typename T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::not_found, "...", "what to do");`
std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {});

}  // namespace punie
