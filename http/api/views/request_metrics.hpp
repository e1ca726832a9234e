// How many requests each route had and how long they took, for /metrics.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http/api/router.hpp"

namespace quell::http {

class RequestMetrics {
 public:
  RequestMetrics();
  void note(const Route* route, int status, std::chrono::nanoseconds spent);
  std::string text() const;

 private:
  static constexpr std::array<double, 9> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                0.05,   0.25,  1.0,    5.0};
  struct Row {
    std::array<std::atomic<std::uint64_t>, 5> by_class{};  // 1xx … 5xx
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> buckets{};
    std::atomic<std::uint64_t> nanoseconds{0};
  };
  std::unique_ptr<Row[]> rows_;  // a row for each route, and one for what met none
};

}  // namespace quell::http
