#include "actors/node/time_histogram.hpp"

#include <algorithm>

#include "runtime/base/metrics_text.hpp"

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
  MetricsText out;
  out.metric(name_, "histogram", help_);
  const std::lock_guard lock(mutex_);
  for (const auto& [value, row] : rows_)
    out.histogram({label_, value}, bounds, row.buckets, row.seconds);
  return std::move(out).text();
}

}  // namespace quell
