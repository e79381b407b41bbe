#include "gateway/line_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/files.hpp"

namespace punie::gateway {

namespace {

/// Lines of so long go together: a wake and a write for each would cost more than its request.
constexpr std::chrono::milliseconds gathers{20};

int open_for_lines(const std::filesystem::path& file) {
    return ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

struct LineWriter::Impl {
    Impl(int descriptor, bool owned, std::filesystem::path path, std::size_t most)
        : file(std::move(path)), descriptor(descriptor), owned(owned), most_queued(most) {
        thread = std::thread([this] { run(); });
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    ~Impl() {
        {
            const std::lock_guard lock(mutex);
            ending = true;
            give_up_at = std::chrono::steady_clock::now() + std::chrono::seconds(1);
        }
        news.notify_all();
        thread.join();
        if (owned) ::close(descriptor);
    }

    void run() {
        std::string batch;
        std::unique_lock lock(mutex);
        while (true) {
            news.wait(lock, [this] { return !queued.empty() || ending || reopening; });
            if (reopening) change_file();
            if (queued.empty()) {
                if (ending) return;
                continue;
            }
            news.wait_for(lock, gathers, [this] { return ending || reopening || hurry; });
            if (reopening) continue;
            batch.swap(queued);
            lock.unlock();
            write_whole(batch);
            batch.clear();
            lock.lock();
            written_all = queued.empty();
            if (!written_all) continue;
            hurry = false;
            idle.notify_all();
        }
    }

    /// Only the writing thread changes the descriptor.
    void change_file() {
        reopening = false;
        const int fresh = open_for_lines(file);
        if (fresh < 0) return;
        ::close(descriptor);
        descriptor = fresh;
    }

    bool late() {
        const std::lock_guard lock(mutex);
        return ending && std::chrono::steady_clock::now() >= give_up_at;
    }

    void write_whole(std::string_view bytes) {
        constexpr int patience_ms = 100;
        while (!bytes.empty()) {
            // A reader that takes nothing must not hold up the end of the program.
            pollfd watched{descriptor, POLLOUT, 0};
            if (::poll(&watched, 1, patience_ms) == 0) {
                if (late()) return;
                continue;
            }
            // No more than a pipe takes at once: a longer write would wait in the kernel.
            const auto piece = bytes.substr(0, 4096);
            const auto count = ::write(descriptor, piece.data(), piece.size());
            if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (count < 0) {  // the reader is gone or the disk is full: the lines are lost
                lost.fetch_add(1, std::memory_order_relaxed);
                return;
            }
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    const std::filesystem::path file;
    int descriptor;
    const bool owned;
    const std::size_t most_queued;
    std::mutex mutex;
    std::condition_variable news;
    std::condition_variable idle;
    std::string queued;
    bool ending = false;
    bool reopening = false;
    bool hurry = false;  // someone waits for the lines to be written
    bool written_all = true;
    std::chrono::steady_clock::time_point give_up_at;
    std::atomic<std::uint64_t> lost{0};
    std::thread thread;
};

LineWriter::LineWriter(int descriptor, std::size_t most_queued)
    : impl_(std::make_unique<Impl>(descriptor, false, std::filesystem::path{}, most_queued)) {}

LineWriter::LineWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LineWriter::LineWriter(LineWriter&&) noexcept = default;
LineWriter& LineWriter::operator=(LineWriter&&) noexcept = default;
LineWriter::~LineWriter() = default;

Result<LineWriter> LineWriter::open(const std::filesystem::path& file, std::size_t most_queued) {
    const int descriptor = open_for_lines(file);
    if (descriptor < 0)
        return std::unexpected(errno_error(errno, fmt::format("cannot write {}", file.native())));
    return LineWriter(std::make_unique<Impl>(descriptor, true, file, most_queued));
}

void LineWriter::add(std::string_view line) {
    bool wake = false;
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->queued.size() + line.size() + 1 > impl_->most_queued) {
            impl_->lost.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        wake = impl_->queued.empty();  // the writer looks again before it sleeps
        impl_->queued += line;
        impl_->queued += '\n';
        impl_->written_all = false;
    }
    if (wake) impl_->news.notify_one();
}

void LineWriter::reopen() {
    if (impl_->file.empty()) return;
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->reopening = true;
    }
    impl_->news.notify_one();
}

std::uint64_t LineWriter::dropped() const {
    return impl_->lost.load(std::memory_order_relaxed);
}

void LineWriter::flush() {
    std::unique_lock lock(impl_->mutex);
    if (impl_->written_all) return;
    impl_->hurry = true;
    impl_->news.notify_one();
    impl_->idle.wait(lock, [this] { return impl_->written_all; });
}

}  // namespace punie::gateway
