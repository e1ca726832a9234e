#include "runtime/base/metrics_text.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

TEST(MetricsText, LetsNoNameOfAQueueBreakALine) {
  MetricsText text;
  text.metric("quell_depth", "gauge", "Jobs that wait.").value(3, {{"queue", "a\"b\\c\nd"}});
  EXPECT_EQ(std::move(text).text(),
            "# HELP quell_depth Jobs that wait.\n# TYPE quell_depth gauge\n"
            "quell_depth{queue=\"a\\\"b\\\\c\\nd\"} 3\n");
}

TEST(MetricsText, AddsUpTheBucketsOfAHistogram) {
  MetricsText text;
  const double bounds[] = {0.5, 1};
  const std::uint64_t buckets[] = {2, 0, 1};
  text.metric("t", "histogram", "Time.").histogram({"route", "x"}, bounds, buckets, 4.25);
  EXPECT_EQ(
      std::move(text).text(),
      "# HELP t Time.\n# TYPE t histogram\n"
      "t_bucket{route=\"x\",le=\"0.5\"} 2\nt_bucket{route=\"x\",le=\"1\"} 2\n"
      "t_bucket{route=\"x\",le=\"+Inf\"} 3\nt_sum{route=\"x\"} 4.25\nt_count{route=\"x\"} 3\n");
}

}  // namespace
}  // namespace quell
