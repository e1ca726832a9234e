#include "http/request_figures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace quell::http {

namespace {

std::size_t row_of(const Route* route) {
  return route == nullptr ? routes().size() : static_cast<std::size_t>(route - routes().data());
}

}  // namespace

RequestFigures::RequestFigures() : rows_(std::make_unique<Row[]>(routes().size() + 1)) {}

void RequestFigures::note(const Route* route, int status, std::chrono::nanoseconds spent) {
  Row& row = rows_[row_of(route)];
  const auto kind = static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
  row.by_class[kind].fetch_add(1, std::memory_order_relaxed);
  const double seconds = std::chrono::duration<double>(spent).count();
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  row.buckets[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  row.nanoseconds.fetch_add(static_cast<std::uint64_t>(spent.count()), std::memory_order_relaxed);
}

std::string RequestFigures::text() const {
  std::string out =
      "# HELP quell_http_requests_total Requests answered.\n"
      "# TYPE quell_http_requests_total counter\n";
  std::string times =
      "# HELP quell_http_request_seconds Time from a request's last byte to its answer.\n"
      "# TYPE quell_http_request_seconds histogram\n";
  for (std::size_t i = 0; i <= routes().size(); ++i) {
    const Row& row = rows_[i];
    const std::string_view name = i < routes().size() ? routes()[i].name : "none";
    std::uint64_t all = 0;
    for (std::size_t kind = 0; kind < row.by_class.size(); ++kind) {
      const std::uint64_t n = row.by_class[kind].load(std::memory_order_relaxed);
      if (n == 0) continue;
      fmt::format_to(std::back_inserter(out),
                     "quell_http_requests_total{{route=\"{}\",status=\"{}xx\"}} {}\n", name,
                     kind + 1, n);
    }
    for (const auto& bucket : row.buckets) all += bucket.load(std::memory_order_relaxed);
    if (all == 0) continue;
    std::uint64_t below = 0;
    for (std::size_t b = 0; b < bounds.size(); ++b) {
      below += row.buckets[b].load(std::memory_order_relaxed);
      fmt::format_to(std::back_inserter(times),
                     "quell_http_request_seconds_bucket{{route=\"{}\",le=\"{}\"}} {}\n", name,
                     bounds[b], below);
    }
    const auto nanoseconds = row.nanoseconds.load(std::memory_order_relaxed);
    fmt::format_to(std::back_inserter(times),
                   "quell_http_request_seconds_bucket{{route=\"{0}\",le=\"+Inf\"}} {1}\n"
                   "quell_http_request_seconds_sum{{route=\"{0}\"}} {2}\n"
                   "quell_http_request_seconds_count{{route=\"{0}\"}} {1}\n",
                   name, all, static_cast<double>(nanoseconds) / 1e9);
  }
  return out + times;
}

}  // namespace quell::http
