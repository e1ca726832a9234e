#include "http/api/views/request_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/metrics_text.hpp"

namespace quell::http {

namespace {

std::size_t row_of(const Route* route) {
  return route == nullptr ? routes().size() : static_cast<std::size_t>(route - routes().data());
}

}  // namespace

RequestMetrics::RequestMetrics() : rows_(std::make_unique<Row[]>(routes().size() + 1)) {}

void RequestMetrics::note(const Route* route, int status, std::chrono::nanoseconds spent) {
  Row& row = rows_[row_of(route)];
  const auto kind = static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
  row.by_class[kind].fetch_add(1, std::memory_order_relaxed);
  const double seconds = std::chrono::duration<double>(spent).count();
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  row.buckets[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  row.nanoseconds.fetch_add(static_cast<std::uint64_t>(spent.count()), std::memory_order_relaxed);
}

std::string RequestMetrics::text() const {
  MetricsText requests, times;
  requests.metric("quell_http_requests_total", "counter", "Requests answered.");
  times.metric("quell_http_request_seconds", "histogram",
               "Time from a request's last byte to its answer.");
  for (std::size_t i = 0; i <= routes().size(); ++i) {
    const Row& row = rows_[i];
    const std::string_view name = i < routes().size() ? routes()[i].name : "none";
    for (std::size_t kind = 0; kind < row.by_class.size(); ++kind) {
      const std::uint64_t n = row.by_class[kind].load(std::memory_order_relaxed);
      if (n == 0) continue;
      const std::array<char, 3> status{static_cast<char>('1' + kind), 'x', 'x'};
      requests.value(n, {{"route", name}, {"status", {status.data(), status.size()}}});
    }
    std::array<std::uint64_t, bounds.size() + 1> buckets{};
    for (std::size_t b = 0; b < buckets.size(); ++b)
      buckets[b] = row.buckets[b].load(std::memory_order_relaxed);
    if (std::ranges::all_of(buckets, [](std::uint64_t n) { return n == 0; })) continue;
    const auto nanoseconds = row.nanoseconds.load(std::memory_order_relaxed);
    times.histogram({"route", name}, bounds, buckets, static_cast<double>(nanoseconds) / 1e9);
  }
  return std::move(requests).text() + std::move(times).text();
}

}  // namespace quell::http
