#include "runtime/law/trace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <vector>

namespace quell {

namespace {

struct Named {
  std::string_view step, actor;
};
constexpr std::array names{
#define PROTOCOL_STEP(name, by, sentence) Named{#name, #by},
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_STEP
};

std::mutex mutex;
int file = -1;
std::uint64_t last_moment = 0;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// From the environment, before main: whatever program the actors run in can be traced.
[[maybe_unused]] const bool opened = [] {
  const char* path = std::getenv("QUELL_TRACE");
  if (path == nullptr || *path == '\0') return false;
  return traces::open(std::string(path) + "." + std::to_string(::getpid())).ok();
}();

}  // namespace

namespace traces {

std::atomic<bool> on{false};

namespace {

// Processes of one machine read one clock, so their lines can be put into one order.
std::uint64_t next_moment() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto moment = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return last_moment = std::max(last_moment + 1, static_cast<std::uint64_t>(moment));
}

}  // namespace

// One write for each line: what was done before a kill is in the file.
void write(const TracedStep& step) {
  const std::lock_guard lock(mutex);
  if (file < 0) return;
  const std::string line = trace_line(next_moment(), step) + '\n';
  if (::write(file, line.data(), line.size()) < 0) on = false;
}

Result<void> open(const std::string& path) {
  const std::lock_guard lock(mutex);
  if (file >= 0) ::close(file);
  file = -1;
  on = false;
  if (path.empty()) return {};
  file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return Error{ErrorCode::usage, "the trace " + path + " cannot be opened"};
  on = true;
  return {};
}

}  // namespace traces

std::string trace_line(std::uint64_t moment, const TracedStep& step) {
  const Named& name = names.at(static_cast<std::size_t>(step.step));
  return fmt::format("{} {} {} {} {} {}", moment, name.actor, name.step, step.job.text(),
                     step.epoch, step.ref.text());
}

Result<TracedStep> trace_step(std::string_view line) {
  const Error wrong{ErrorCode::usage, "not a line of a trace: " + std::string(line)};
  const auto words = words_of(line);
  if (words.size() != 6) return wrong;
  TracedStep step;
  std::size_t at = 0;
  while (at < names.size() && names[at].step != words[2]) ++at;
  const auto job = Uuid::parse(words[3]), ref = Uuid::parse(words[5]);
  const auto [end, fault] =
      std::from_chars(words[4].data(), words[4].data() + words[4].size(), step.epoch);
  if (at == names.size() || names[at].actor != words[1] || !job || !ref || fault != std::errc{} ||
      end != words[4].data() + words[4].size())
    return wrong;
  step.step = static_cast<ProtocolStep>(at);
  step.job = *job;
  step.ref = *ref;
  return step;
}

}  // namespace quell
