// Exit 0 when an aggregate temporary built inside a co_await expression is destroyed exactly once.
#include <coroutine>
#include <exception>
#include <expected>
#include <utility>

int alive = 0;
int wrong = 0;

struct Counted {
    Counted() { ++alive; }

    Counted(const Counted&) { ++alive; }

    Counted(Counted&&) noexcept { ++alive; }

    Counted& operator=(const Counted&) = default;
    Counted& operator=(Counted&&) = default;

    ~Counted() {
        if (--alive < 0) ++wrong;
    }
};

struct Aggregate {
    Counted part;
    int number = 0;
};

struct Task {
    struct promise_type {
        std::coroutine_handle<> waiter;

        Task get_return_object() {
            return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }

        std::suspend_always initial_suspend() noexcept { return {}; }

        struct Final {
            bool await_ready() noexcept { return false; }

            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
                return h.promise().waiter ? h.promise().waiter : std::noop_coroutine();
            }

            void await_resume() noexcept {}
        };

        Final final_suspend() noexcept { return {}; }

        void return_void() {}

        void unhandled_exception() { std::terminate(); }
    };

    explicit Task(std::coroutine_handle<promise_type> h) : handle(h) {}

    Task(Task&& other) noexcept : handle(std::exchange(other.handle, {})) {}

    ~Task() {
        if (handle) handle.destroy();
    }

    bool await_ready() { return false; }

    std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
        handle.promise().waiter = waiter;
        return handle;
    }

    void await_resume() {}

    std::coroutine_handle<promise_type> handle;
};

Task take_value(Aggregate) {
    co_return;
}

Task take_reference(const Aggregate&) {
    co_return;
}

Task all() {
    co_await take_value(Aggregate{.part = {}, .number = 1});
    co_await take_value({});
    co_await take_reference(Aggregate{.part = {}, .number = 2});
}

int main() {
    std::expected<int, int> present = 1;
    {
        Task task = all();
        task.handle.resume();
    }
    return wrong == 0 && alive == 0 && present ? 0 : 1;
}
