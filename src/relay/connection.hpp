#pragma once
// One client's connection: waits for a head without holding a buffer, has the handler answer it,
// waits for the next. A state machine of callbacks, as an idle connection should cost no coroutine.

#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/async_event.hpp"
#include "relay/buffers.hpp"
#include "relay/deadlines.hpp"
#include "relay/front.hpp"
#include "relay/head.hpp"
#include "relay/stream.hpp"

namespace punie::relay {

class ClientExchange;
class Connection;

/// What the connections of a front share.
struct FrontCore {
    FrontCore(const asio::any_io_executor& on, Handler asked, FrontLimits given);

    asio::any_io_executor executor;
    Handler handler;
    FrontLimits limits;
    ErrorBody error_body;
    BufferPool buffers;
    Deadlines deadlines;
    AsyncEvent changed;                  ///< a connection ended, or the front stops
    std::list<Connection*> connections;  ///< those that are open
    std::size_t handlers = 0;            ///< coroutines that have not ended, of closed ones too
    bool stopping = false;

    /// "Tue, 24 Nov 2026 13:48:32 GMT", made once a second.
    std::string_view date();

    /// Head and body of an answer that the front gives itself and closes behind.
    std::string refusal(int status, std::string_view message);

private:
    std::string date_;
    std::chrono::system_clock::time_point date_of_{};
};

/// Owner: its own waiting operations; `FrontCore::connections` lists it while it is open.
class Connection final : public std::enable_shared_from_this<Connection>, public Deadlines::Node {
public:
    Connection(std::shared_ptr<FrontCore> front, int socket, Peer peer);
    ~Connection() override;

    /// `tls` is null for a plain connection; with `refused` the client is told that there are too
    /// many.
    void start(SSL_CTX* tls, bool refused);

    /// The front stops: closes unless a request is being answered.
    void stop();
    /// Ends it now, torn.
    void reset();

    // What the exchange needs.
    FrontCore& front() { return *front_; }

    Stream& stream() { return stream_; }

    Buffer& buffer() { return buffer_; }

    const Peer& peer() const { return peer_; }

    bool gone() const { return phase_ == Phase::closed || phase_ == Phase::aborting; }

    bool timed_out() const { return timed_out_; }

    /// Looks out for the client's leaving while the handler works.
    void watch();

    void set_deadline(SteadyTime deadline) { front_->deadlines.set(*this, deadline); }

    void clear_deadline() { Deadlines::clear(*this); }

    /// The deadline of a write that waits, put off as long as the client takes bytes.
    void expect_progress();
    /// Ends the connection so that the client sees it torn, once it took what was sent before.
    void abort();

private:
    enum class Phase { handshake, idle, head, handling, lingering, aborting, closed };

    void expired() override;
    void expired_while_handling();
    void wait_readable();
    void wait_writable();
    void wait_for_break();
    void on_readable();
    void handshake();
    void read_head();
    bool take_head();
    bool has_room();
    void begin_request(RequestHead request);
    void after_request();
    void look_at_client();
    void left();
    void refuse(int status, std::string_view message);
    void linger();
    void discard();
    void close();

    std::shared_ptr<FrontCore> front_;
    Stream stream_;
    Peer peer_;
    Buffer buffer_;
    HeadScanner scanner_;
    std::unique_ptr<ClientExchange> exchange_;
    asio::cancellation_signal cancel_;
    std::list<Connection*>::iterator place_;
    std::size_t discarded_ = 0;
    std::size_t unsent_ = 0;  ///< when the write deadline was set
    Phase phase_ = Phase::idle;
    bool waits_readable_ = false;
    bool waits_break_ = false;
    bool timed_out_ = false;
    bool half_closed_ = false;
};

}  // namespace punie::relay
