// Where the words of a fork server go.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "actors/effects/child_process.hpp"
#include "actors/effects/output_tail.hpp"

namespace quell {

// What the fork server says is for those who wait for it, should it end.
class ForkServerSink final : public ExecSink {
 public:
  explicit ForkServerSink(std::function<void(const std::string&)> tell) : tell_(std::move(tell)) {}
  void on_stderr(std::string chunk) override {
    lines_.add(chunk, [this](const std::string& line) {
      if (tell_ && !line.empty()) tell_(line);
    });
    said_ += chunk;
    if (said_.size() > most) said_.erase(0, said_.size() - most);
  }
  void on_closed(ExecEnd) override {}
  const std::string& said() const { return said_; }

 private:
  static constexpr std::size_t most = 4096;
  std::function<void(const std::string&)> tell_;
  LineSplitter lines_;
  std::string said_;
};

}  // namespace quell
