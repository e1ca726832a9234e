// Metrics in the words that Prometheus reads. Queues and pools are named by people: a label's value
// is escaped here and nowhere else.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace quell {

class MetricsText {
 public:
  using Label = std::pair<std::string_view, std::string_view>;

  // Begins a metric; the values that follow are its own. `type`: counter, gauge, histogram.
  MetricsText& metric(std::string_view name, std::string_view type, std::string_view help);

  // `suffix`: _bucket, _sum and _count of a histogram.
  template <class Number>
  MetricsText& value(Number number, std::initializer_list<Label> labels = {},
                     std::string_view suffix = {}) {
    begin(labels, suffix);
    fmt::format_to(std::back_inserter(text_), "{}\n", number);
    return *this;
  }

  // A whole histogram of one label: how many fell below each bound and below none, and their sum.
  void histogram(Label label, std::span<const double> bounds,
                 std::span<const std::uint64_t> buckets, double sum);

  std::string text() && { return std::move(text_); }

 private:
  void begin(std::initializer_list<Label> labels, std::string_view suffix);
  std::string text_, name_;
};

}  // namespace quell
