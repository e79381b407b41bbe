#pragma once
// The vocabulary of Punie's coroutines. A header that declares one includes this and no more of
// Asio.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace punie {

namespace asio = boost::asio;

template <typename T = void>
using Task = asio::awaitable<T>;

using Milliseconds = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

}  // namespace punie
