#include "runtime/base/metrics_text.hpp"

#include "runtime/base/assert.hpp"

namespace quell {

MetricsText& MetricsText::metric(std::string_view name, std::string_view type,
                                 std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  return *this;
}

void MetricsText::begin(std::initializer_list<Label> labels, std::string_view suffix) {
  QUELL_ASSERT(!name_.empty());
  text_ += name_;
  text_ += suffix;
  char before = '{';
  for (const auto& [name, value] : labels) {
    text_ += before;
    text_ += name;
    text_ += "=\"";
    for (const char c : value) {
      if (c == '\\' || c == '"') text_ += '\\';
      if (c == '\n')
        text_ += "\\n";
      else
        text_ += c;
    }
    text_ += '"';
    before = ',';
  }
  text_ += labels.size() == 0 ? " " : "} ";
}

void MetricsText::histogram(Label label, std::span<const double> bounds,
                            std::span<const std::uint64_t> buckets, double sum) {
  QUELL_ASSERT(buckets.size() == bounds.size() + 1);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    below += buckets[i];
    value(below, {label, {"le", fmt::format("{}", bounds[i])}}, "_bucket");
  }
  below += buckets.back();
  value(below, {label, {"le", "+Inf"}}, "_bucket");
  value(sum, {label}, "_sum");
  value(below, {label}, "_count");
}

}  // namespace quell
