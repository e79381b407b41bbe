#pragma once
// One request of a connection and its answer.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "relay/chunked.hpp"
#include "relay/connection.hpp"
#include "relay/front.hpp"
#include "relay/head.hpp"
#include "relay/spool.hpp"
#include "relay/turns.hpp"

namespace punie::relay {

class ClientExchange final : public Exchange {
public:
    ClientExchange(Connection& connection, RequestHead request);

    const Head& head() const override { return request_.head; }

    const Peer& peer() const override { return connection_.peer(); }

    Task<Result<Body>> read_body() override;
    Task<Result<void>> reply(Reply reply) override;
    Task<Result<void>> begin(int status, Headers headers, std::optional<std::uint64_t> length)
        override;
    Task<Result<void>> begin_with(AnswerHead head, std::string_view piece, bool last) override;
    Task<Result<void>> write(std::string_view piece) override;
    Task<Result<void>> finish() override;
    Task<Result<void>> finish_with(std::string_view piece) override;
    void abort() override;

    bool begun() const override { return status_ != 0; }

    std::uint64_t bytes_sent() const override { return sent_; }

    int status() const override { return status_; }

    /// Behind the handler: an answer where it gave none, the rest of a small body taken.
    Task<void> conclude();

    /// Whether the connection may serve another request.
    bool keeps() const { return keep_ && finished_ && body_done_; }

    bool reads_body() const { return reading_; }

    bool sending() const { return sending_; }

    bool body_done() const { return body_done_; }

    /// Something harmless is sent, so that a client that closed (instead of only ending its
    /// sending) answers with a reset.
    void probe();

private:
    struct Taken;

    std::optional<Error> cannot_begin() const;
    void begin_head(int status, std::optional<std::uint64_t> length);
    std::optional<Error> add_headers(const Headers& headers);
    void end_head();
    std::optional<Error> frame(std::string_view piece, bool last);
    Task<Result<void>> send();
    std::optional<Result<void>> try_send();
    Task<Result<void>> send_rest();
    Error broken(int error) const;

    Task<Result<void>> more_body(SteadyTime begun);
    Result<std::string_view> take_body();
    Task<std::unexpected<Error>> body_failed(int status, ErrorCode code, std::string message);
    Task<void> drop_body();
    SteadyTime body_deadline(SteadyTime begun) const;

    Connection& connection_;
    RequestHead request_;
    ChunkDecoder chunks_;
    std::uint64_t body_left_ = 0;      ///< of a body with a length
    std::uint64_t body_received_ = 0;  ///< bytes on the wire
    Turns turns_;

    std::string head_text_;
    std::array<char, 20> size_line_{};
    std::array<iovec, 4> parts_{};
    std::span<iovec> to_send_{};
    std::optional<std::uint64_t> length_;
    std::uint64_t sent_ = 0;
    int status_ = 0;
    bool chunked_ = false;
    bool bodiless_ = false;
    bool keep_ = true;
    bool finished_ = false;
    bool body_done_ = false;
    bool body_asked_ = false;
    bool reading_ = false;
    bool sending_ = false;
};

}  // namespace punie::relay
