// A process that stands in for `python training_callback.py`: it says the same lines and misbehaves
// on command. Arguments (also from FAKE_TRAINER_ARGS, split at spaces); all times in milliseconds:
//
//   --iters N            iterations (default 3)              --iteration-ms T   of each iteration
//   (default 5)
//   --first-ms T         of the first one                    --load-ms T        before the first
//   batch
//   --validation-ms T    one before the first iteration (default: none)
//   --claim-seconds X    says that each iteration took so long
//   --checkpoint-ms T    one at the end                      --peak-gb X        reported peak
//   --events WHAT        callback (default), none, bad (three unreadable lines between the good
//   ones)
//   --text WHAT          none (default), old, new: what mlx_lm printed up to 0.31 and from 0.32
//   --fail-after N       after that many iterations (0: while loading) do --failure
//   --failure WHAT       exit:CODE, signal:NUMBER, memory, disk, module, error:TEXT, hang, quiet
//   (exit code 0 at once)
//   --flood-mb N         prints so much before the first iteration
//   --ignore SIGNALS     "int", "term" or both
//   --grandchild         starts a child that would live on
//   --pid-file PATH      its pid, and the grandchild's after it
//   --say TEXT           prints TEXT at the start
//
// With a file punie_training.json among the arguments it stands in for `python train_launcher.py`:
// it takes iterations and folders from there, validates and writes checkpoints (of a few bytes) and
// punie_state.json, goes on from them, and ends with a checkpoint on SIGTERM or SIGINT. More
// failures then: nan, diverge, refuse, unsupported, and torn (a checkpoint without its state, then
// SIGKILL).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Flags {
    std::map<std::string, std::string> values;

    bool has(const std::string& name) const { return values.contains(name); }

    std::string text(const std::string& name, const std::string& otherwise = "") const {
        const auto found = values.find(name);
        return found == values.end() ? otherwise : found->second;
    }

    double number(const std::string& name, double otherwise = 0) const {
        const auto found = values.find(name);
        return found == values.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
    }
};

const Clock::time_point started = Clock::now();
int events_descriptor = -1;
bool events_wanted = true;
double trained_tokens = 0;

double now() {
    return std::chrono::duration<double>(Clock::now() - started).count();
}

void pass(double milliseconds) {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds));
}

void write_line(const std::string& line) {
    if (events_descriptor < 0) return;
    const auto text = line + "\n";
    if (::write(events_descriptor, text.data(), text.size()) < 0) events_descriptor = -1;
}

void send(const std::string& event, const std::string& members = "") {
    if (!events_wanted) return;
    std::ostringstream line;
    line << "{\"event\": \"" << event << "\", \"t\": " << now();
    if (!members.empty()) line << ", " << members;
    line << "}";
    write_line(line.str());
}

void say(const std::string& text) {
    std::fputs((text + "\n").c_str(), stdout);
    std::fflush(stdout);
}

[[noreturn]] void hang() {
    while (true) ::pause();
}

void fail_as(const std::string& failure) {
    const auto colon = failure.find(':');
    const auto kind = failure.substr(0, colon);
    const auto rest = colon == std::string::npos ? "" : failure.substr(colon + 1);
    const auto traceback = [](const std::string& type, const std::string& message) {
        say("Traceback (most recent call last):\n  File \"training_callback.py\", line 1, in "
            "<module>");
        say(type + (message.empty() ? "" : ": " + message));
        send("error", "\"type\": \"" + type + "\", \"message\": \"" + message + "\"");
        std::exit(1);
    };
    if (kind == "exit") std::exit(std::atoi(rest.c_str()));
    if (kind == "quiet") std::exit(0);
    if (kind == "hang") hang();
    if (kind == "memory") traceback("MemoryError", "");
    if (kind == "disk") traceback("OSError", "[Errno 28] No space left on device");
    if (kind == "module") traceback("ModuleNotFoundError", "No module named 'mlx'");
    if (kind == "error") traceback("ValueError", rest);
    if (kind == "signal") {
        std::signal(std::atoi(rest.c_str()), SIG_DFL);
        std::raise(std::atoi(rest.c_str()));
    }
    std::exit(99);
}

void maybe_fail(const Flags& flags, int done) {
    if (flags.has("fail-after") && static_cast<int>(flags.number("fail-after")) == done) {
        fail_as(flags.text("failure", "exit:1"));
    }
}

void print_iteration(const std::string& generation, int iteration, double seconds) {
    char line[256] = "";
    if (generation == "old") {
        std::snprintf(
            line,
            sizeof line,
            "Iter %d: Train loss 2.500, Learning Rate 1.000e-05, It/sec %.3f, Tokens/sec 100.000, "
            "Trained Tokens %.0f, Peak mem 0.250 GB",
            iteration,
            1 / seconds,
            trained_tokens
        );
    } else if (generation == "new") {
        std::snprintf(
            line,
            sizeof line,
            "  \x1b[38;5;244m%4d\x1b[0m    \x1b[1;32m2.500 \u25BC\x1b[0m    \x1b[1m  100\x1b[0m    "
            "\x1b[38;5;244m%5.1fk\x1b[0m",
            iteration,
            trained_tokens / 1000
        );
    } else {
        return;
    }
    say(line);
}

void iterate(const Flags& flags, int iteration) {
    const double usual = flags.number("iteration-ms", 5);
    const double before = now();
    pass(iteration == 1 ? flags.number("first-ms", usual) : usual);
    const double seconds = flags.number("claim-seconds", now() - before);
    trained_tokens += 512;
    if (flags.text("events") == "bad") write_line("nonsense \xff { iteration");
    std::ostringstream members;
    members << "\"iteration\": " << iteration << ", \"seconds\": " << seconds
            << ", \"trainer_seconds\": " << seconds
            << ", \"loss\": 2.5, \"tokens_per_second\": " << 512 / seconds
            << ", \"trained_tokens\": " << trained_tokens
            << ", \"peak_memory_gb\": " << flags.number("peak-gb", 0.25);
    send("iteration", members.str());
    print_iteration(flags.text("text"), iteration, seconds);
}

void flood(double megabytes) {
    const std::string block(64 * 1024, 'x');
    for (double sent = 0; sent < megabytes * 1e6; sent += static_cast<double>(block.size())) {
        if (std::fwrite(block.data(), 1, block.size(), stdout) != block.size()) return;
    }
    say("");
}

void timed_event(const std::string& event, double milliseconds) {
    pass(milliseconds);
    send(event, "\"iteration\": 0, \"seconds\": " + std::to_string(milliseconds / 1000));
}

void start_grandchild(std::ostream& pids) {
    const auto child = ::fork();
    if (child == 0) {
        ::setsid();
        hang();
    }
    pids << ' ' << child;
}

int run(const Flags& flags) {
    if (flags.text("ignore").find("int") != std::string::npos) std::signal(SIGINT, SIG_IGN);
    if (flags.text("ignore").find("term") != std::string::npos) std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    std::ostringstream pids;
    pids << ::getpid();
    if (flags.has("grandchild")) start_grandchild(pids);
    if (flags.has("pid-file")) {
        // Written beside and renamed: a reader sees both numbers or no file.
        const auto path = flags.text("pid-file");
        if (auto* file = std::fopen((path + ".part").c_str(), "w")) {
            std::fputs((pids.str() + "\n").c_str(), file);
            std::fclose(file);
            std::rename((path + ".part").c_str(), path.c_str());
        }
    }
    send("hello");
    if (flags.has("say")) say(flags.text("say"));
    say("Loading pretrained model");
    pass(flags.number("load-ms"));
    maybe_fail(flags, 0);
    say("Training");
    send("begin");
    if (flags.has("flood-mb")) flood(flags.number("flood-mb"));
    if (flags.has("validation-ms")) timed_event("validation", flags.number("validation-ms"));
    for (int i = 1; i <= static_cast<int>(flags.number("iters", 3)); ++i) {
        iterate(flags, i);
        maybe_fail(flags, i);
    }
    if (flags.has("checkpoint-ms")) timed_event("checkpoint", flags.number("checkpoint-ms"));
    send("trained");
    send("end");
    return 0;
}

volatile std::sig_atomic_t stop_asked = 0;

/// What punie_training.json says, as far as a fake must know it.
class Told {
public:
    explicit Told(const std::string& file) {
        std::ifstream stream(file);
        std::stringstream text;
        text << stream.rdbuf();
        text_ = text.str();
    }

    std::string word(const std::string& name) const {
        const auto rest = after(name);
        return rest.empty() ? "" : rest.substr(1, rest.find('"', 1) - 1);
    }

    int number(const std::string& name) const { return std::atoi(after(name).c_str()); }

    bool flag(const std::string& name) const { return after(name).starts_with("true"); }

    /// From the bracket to the last one of the file.
    std::string list(const std::string& name) const {
        const auto rest = after(name);
        return rest.substr(0, rest.rfind(']') + 1);
    }

    /// A flat object, braces included.
    std::string object(const std::string& name) const {
        const auto rest = after(name);
        return rest.substr(0, rest.find('}') + 1);
    }

private:
    std::string after(const std::string& name) const {
        const auto key = "\"" + name + "\":";
        const auto at = text_.find(key);
        return at == std::string::npos ? "" : text_.substr(at + key.size());
    }

    std::string text_;
};

class Launcher {
public:
    Launcher(const Flags& flags, const std::string& config) : flags_(flags), told_(config) {
        folder_ = told_.word("adapter_path");
    }

    int run() {
        const auto ask = [](int) { stop_asked = 1; };
        std::signal(SIGTERM, ask);
        std::signal(SIGINT, ask);
        for (const auto* mark : {"hello", "imports", "model", "data"}) send(mark);
        say("Loading pretrained model");
        pass(flags_.number("load-ms"));
        misbehave(0);
        send(
            "facts",
            "\"split\": \"train\", \"rows\": 41, \"rows_left_over\": 1, \"rows_cut\": 2, "
            "\"rows_untrained\": 0, \"trained_tokens\": 1234, \"longest\": 99, "
            "\"looked_at\": 41, \"padding_share\": 0.25, \"steps_dropped\": 0"
        );
        if (told_.flag("resume")) resume();
        if (!told_.flag("resume")) write("adapter_config.json", "{\"fine_tune_type\": \"lora\"}\n");
        send("begin");
        for (int i = done_ + 1; i <= told_.number("iters"); ++i) {
            if (!step(i)) return 0;
        }
        checkpoint();
        finish();
        return 0;
    }

private:
    std::string iteration() const { return "\"iteration\": " + std::to_string(done_); }

    void write(const std::string& name, const std::string& text) const {
        const auto file = folder_ + "/" + name;
        std::ofstream(file + ".tmp") << text;
        std::rename((file + ".tmp").c_str(), file.c_str());
    }

    void resume() {
        const Told state(folder_ + "/punie_state.json");
        done_ = state.number("iteration");
        reports_ = state.list("reports");
        if (reports_.size() > 1) reports_ = reports_.substr(1, reports_.size() - 2);
        send("resumed", iteration());
    }

    /// False: it ended early.
    bool step(int i) {
        if (stop_asked != 0) {
            stopped("interrupted", "asked to stop", "");
            checkpoint();
            finish();
            return false;
        }
        const int every = std::max(told_.number("steps_per_eval"), 1);
        if (i == 1 || i % every == 0 || i == told_.number("iters")) validate();
        pass(flags_.number("iteration-ms", 2));
        if (fails_at(i, "nan")) {
            stopped(
                "not_a_number",
                "the loss of iteration " + std::to_string(i) + " is no number",
                "7, 9"
            );
            finish();
            return false;
        }
        done_ = i;
        report();
        if (fails_at(i, "diverge")) {
            stopped("diverged", "the losses rise", "");
            finish();
            return false;
        }
        if (i % std::max(told_.number("save_every"), 1) == 0) checkpoint();
        misbehave(i);
        return true;
    }

    bool fails_at(int i, const std::string& how) const {
        return flags_.has("fail-after") && static_cast<int>(flags_.number("fail-after")) == i &&
               flags_.text("failure") == how;
    }

    void misbehave(int i) {
        if (fails_at(i, "refuse")) refuse("Refused", "this is another training", 2);
        if (fails_at(i, "unsupported"))
            refuse(
                "Unsupported", "--resume is not possible with mlx_lm 0.99: it lacks lora.run", 64
            );
        if (fails_at(i, "torn")) {
            write("9999999_adapters.safetensors", "half");
            std::raise(SIGKILL);
        }
        maybe_fail(flags_, i);
    }

    [[noreturn]] static void refuse(const std::string& type, const std::string& message, int code) {
        send("error", "\"type\": \"" + type + "\", \"message\": \"" + message + "\"");
        std::exit(code);
    }

    void validate() {
        pass(flags_.number("validation-ms"));
        const bool rises = flags_.has("valid-rises");
        const double loss = rises ? 2.0 + done_ : 3.0 / (1 + done_);
        best_ = rises ? 0 : done_;
        std::ostringstream members;
        members << iteration() << ", \"seconds\": 0.01, \"loss\": " << loss
                << ", \"best\": " << (rises && done_ > 0 ? "false" : "true");
        tell("validation", members.str());
    }

    void report() {
        trained_tokens = 100.0 * done_;
        if (done_ % std::max(told_.number("steps_per_report"), 1) != 0) return;
        std::ostringstream members;
        members << iteration() << ", \"seconds\": 0.002, \"loss\": " << 4.0 / (1 + done_)
                << ", \"learning_rate\": 1e-05, \"tokens_per_second\": 500, \"trained_tokens\": "
                << trained_tokens << ", \"peak_memory_gb\": " << flags_.number("peak-gb", 0.25);
        tell("iteration", members.str());
    }

    void tell(const std::string& event, const std::string& members) {
        reports_ += std::string(reports_.empty() ? "" : ",") + R"({"event":")" + event + "\"," +
                    members + "}";
        send(event, members);
    }

    void checkpoint() {
        if (done_ == 0 || saved_ == done_) return;
        saved_ = done_;
        char name[64] = "";
        std::snprintf(name, sizeof name, "%07d_adapters.safetensors", done_);
        write(name, "weights " + std::to_string(done_));
        write(
            "punie_state.json",
            "{\"iteration\":" + std::to_string(done_) +
                ",\"identity\":" + told_.object("identity") + ",\"reports\":[" + reports_ + "]}"
        );
        send("checkpoint", iteration() + ", \"seconds\": 0.001");
    }

    void stopped(const std::string& reason, const std::string& message, const std::string& rows) {
        send(
            "stopped",
            iteration() + ", \"reason\": \"" + reason + "\", \"message\": \"" + message +
                "\", \"rows\": [" + rows + "]"
        );
    }

    void finish() {
        if (done_ > 0) {
            const bool best = told_.word("keep") == "best" && best_ > 0;
            write("adapters.safetensors", "weights " + std::to_string(best ? best_ : done_));
            send(
                "kept",
                "\"iteration\": " + std::to_string(best ? best_ : done_) + ", \"which\": \"" +
                    (best ? "best" : "last") + "\""
            );
        }
        send("end", iteration());
    }

    const Flags& flags_;
    Told told_;
    std::string folder_;
    std::string reports_;
    int done_ = 0;
    int saved_ = 0;
    int best_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    if (const char* more = std::getenv("FAKE_TRAINER_ARGS")) {
        std::istringstream text(more);
        for (std::string word; text >> word;) words.push_back(word);
    }
    static const std::set<std::string> switches = {"grandchild", "valid-rises"};
    Flags flags;
    std::string config;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i].ends_with("punie_training.json")) config = words[i];
        if (!words[i].starts_with("--")) continue;  // mlx_lm's own values
        const auto name = words[i].substr(2);
        const bool takes_value =
            !switches.contains(name) && i + 1 < words.size() && !words[i + 1].starts_with("--");
        flags.values[name] = takes_value ? words[++i] : "";
    }
    if (const char* number = std::getenv("PUNIE_EVENTS_FD")) events_descriptor = std::atoi(number);
    if (events_descriptor >= 0) ::fcntl(events_descriptor, F_SETFD, FD_CLOEXEC);
    events_wanted = flags.text("events") != "none";
    if (!config.empty()) return Launcher(flags, config).run();
    return run(flags);
}
