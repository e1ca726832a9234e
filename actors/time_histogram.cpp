#include "actors/time_histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace quell {

void TimeHistogram::note(const std::string& value, std::chrono::nanoseconds took) {
  // Two clocks may disagree by a little; nothing took less than no time.
  const double seconds = std::max(0.0, std::chrono::duration<double>(took).count());
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  const std::lock_guard lock(mutex_);
  const bool is_known = rows_.contains(value) || rows_.size() < most_values;
  Row& row = rows_[is_known ? value : "other"];
  row.buckets.at(static_cast<std::size_t>(bucket)) += 1;
  row.seconds += seconds;
}

std::string TimeHistogram::text() const {
  std::string out = fmt::format("# HELP {0} {1}\n# TYPE {0} histogram\n", name_, help_);
  const auto to = std::back_inserter(out);
  const std::lock_guard lock(mutex_);
  for (const auto& [value, row] : rows_) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      below += row.buckets.at(i);
      fmt::format_to(to, "{}_bucket{{{}=\"{}\",le=\"{}\"}} {}\n", name_, label_, value,
                     bounds.at(i), below);
    }
    below += row.buckets.back();
    fmt::format_to(to,
                   "{0}_bucket{{{1}=\"{2}\",le=\"+Inf\"}} {3}\n{0}_sum{{{1}=\"{2}\"}} {4}\n"
                   "{0}_count{{{1}=\"{2}\"}} {3}\n",
                   name_, label_, value, below, row.seconds);
  }
  return out;
}

}  // namespace quell
