// What is bound to one connection, opened anew after the connection was lost. While the database is
// away each call would wait for a connect to fail; so between two tries calls are refused at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "storage/postgres/connection/fault.hpp"

namespace quell::storage::postgres {

template <class T>
class Reconnect {
 public:
  explicit Reconnect(std::function<std::unique_ptr<T>()> open)
      : open_(std::move(open)), bound_(open_()) {}

  // Throws a PgFault when there is none and none can be had now.
  T& get() {
    if (bound_) return *bound_;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_try_)
      throw PgFault(Error{ErrorCode::store_unavailable, "the database was away a moment ago"},
                    Cure::none);
    try {
      bound_ = open_();
    } catch (const PgFault&) {
      next_try_ = std::chrono::steady_clock::now() + wait_;
      wait_ = std::min(wait_ * 2, longest);
      throw;
    }
    wait_ = shortest;
    return *bound_;
  }
  void drop() { bound_.reset(); }

 private:
  static constexpr std::chrono::milliseconds shortest{50}, longest{1'000};
  std::function<std::unique_ptr<T>()> open_;
  std::unique_ptr<T> bound_;
  std::chrono::steady_clock::time_point next_try_{};
  std::chrono::milliseconds wait_ = shortest;
};

}  // namespace quell::storage::postgres
