#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/kinds/standard.hpp"

namespace quell {

namespace {

constexpr double seconds_max = 366.0 * 24 * 3600;

Result<double> seconds_of(const std::string& args) {
  const auto in = json_from_outside(args.empty() ? "{}" : args);
  if (!in.is_object() || !in.contains("seconds") || !in["seconds"].is_number())
    return Error{ErrorCode::invalid_field, "sleep needs args.seconds, a number"};
  const double seconds = in["seconds"].get<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > seconds_max)
    return Error{ErrorCode::invalid_field, "args.seconds must lie between 0 and a year"};
  return seconds;
}

Task sleep(JobContext job) {
  const Result<double> seconds = seconds_of(job.args_text());
  if (!seconds) throw JobError("invalid-field", seconds.error().detail, false);
  const Millis duration{static_cast<std::int64_t>(*seconds * 1000)};
  co_await job.sleep(duration);
  co_return std::string();
}

}  // namespace

Kind sleep_kind() {
  Kind kind;
  kind.run = sleep;
  kind.sentence = "Waits for args.seconds, suspended: it holds a slot and no thread.";
  kind.check = [](const std::string& args) -> Result<void> {
    const Result<double> seconds = seconds_of(args);
    if (!seconds) return seconds.error();
    return {};
  };
  return kind;
}

}  // namespace quell
