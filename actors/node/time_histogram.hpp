// How long something took, by a label, in Prometheus' words. Noted once or twice a job from any
// thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace quell {

class TimeHistogram {
 public:
  // `label` is the label's name; its values are few, and what comes beyond `most_values` is
  // "other".
  TimeHistogram(const char* name, const char* help, const char* label)
      : name_(name), help_(help), label_(label) {}

  void note(const std::string& value, std::chrono::nanoseconds took);
  std::string text() const;

  static constexpr std::size_t most_values = 500;

 private:
  static constexpr std::array<double, 12> bounds{0.001, 0.005, 0.025, 0.1,   0.5,   1.0,
                                                 5.0,   30.0,  120.0, 600.0, 3'600, 86'400};
  struct Row {
    std::array<std::uint64_t, bounds.size() + 1> buckets{};
    double seconds = 0;
  };

  const char *name_, *help_, *label_;
  mutable std::mutex mutex_;
  std::map<std::string, Row> rows_;
};

}  // namespace quell
