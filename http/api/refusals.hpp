// Calls that were refused for who made them. All are counted; they are logged, and in the audit log
// when they would have deleted something, as far as a flood of them leaves room for anything else.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "http/api/rate_limit.hpp"

namespace quell::http {

class RequestContext;

class Refusals {
 public:
  using Log = std::function<void(const std::string& object)>;
  explicit Refusals(Log log) : log_(std::move(log)) {}

  void note(const RequestContext& call, int status);  // on the server's loop, of every answer
  std::string text() const;                           // for /metrics

 private:
  static constexpr long logged_per_minute = 60, audited_per_minute = 60;

  void audit(const RequestContext& call, int status, const std::string& who);

  Log log_;
  std::array<std::atomic<std::uint64_t>, 4> counts_{};
  std::atomic<std::uint64_t> unlogged_{0};
  // One bucket for all strangers: who can send from many addresses gains nothing by it.
  RateLimit lines_{logged_per_minute, 0, 0}, rows_{audited_per_minute, 0, 0};
};

}  // namespace quell::http
