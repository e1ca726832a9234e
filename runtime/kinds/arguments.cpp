#include "runtime/kinds/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/base/bounded_json.hpp"
#include "runtime/base/nearest_name.hpp"

namespace quell {

Arguments::Arguments(std::string kind, const std::string& text, std::string where)
    : kind_(std::move(kind)),
      where_(std::move(where)),
      args_(json_from_outside(text.empty() ? "{}" : std::string_view(text))) {
  if (args_.is_object()) return;
  wrong(fmt::format("the args of {} must be a JSON object, nested at most {} deep", kind_,
                    json_depth_limit));
  args_ = nlohmann::json::object();
}

void Arguments::wrong(std::string sentence) {
  if (!fault_) fault_ = Error{ErrorCode::invalid_field, std::move(sentence)};
}

void Arguments::wrong_type(const char* name, const char* wanted) {
  wrong(fmt::format("{}{} must be {}", where_, name, wanted));
}

// An explicit null counts as absent: clients write out every field they know.
const nlohmann::json* Arguments::find(const char* name) {
  known_.emplace_back(name);
  const auto at = args_.find(name);
  return at == args_.end() || at->is_null() ? nullptr : &*at;
}

const nlohmann::json* Arguments::value(const char* name) {
  return find(name);
}

std::string Arguments::text(const char* name, std::string fallback) {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_string()) return value->get<std::string>();
  wrong_type(name, "a text");
  return fallback;
}

std::string Arguments::needed_text(const char* name) {
  std::string found = text(name, {});
  if (found.empty()) wrong(fmt::format("{} needs {}{}, a text", kind_, where_, name));
  return found;
}

bool Arguments::flag(const char* name, bool fallback) {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  wrong_type(name, "true or false");
  return fallback;
}

std::int64_t Arguments::integer(const char* name, std::int64_t fallback, std::int64_t least,
                                std::int64_t most) {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_number_integer()) {
    const auto found = value->get<std::int64_t>();
    // A number above the signed range wraps to a negative one when it is read.
    const bool wraps = value->is_number_unsigned() && found < 0;
    if (!wraps && found >= least && found <= most) return found;
  }
  wrong(fmt::format("{}{} must be a whole number from {} to {}", where_, name, least, most));
  return fallback;
}

std::optional<double> Arguments::number(const char* name, double least, double most) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const auto found = value->get<double>();
    if (found >= least && found <= most) return found;
  }
  wrong(fmt::format("{}{} must be a number from {} to {}", where_, name, least, most));
  return std::nullopt;
}

Millis Arguments::seconds(const char* name, Millis fallback, Millis most) {
  const double limit = static_cast<double>(most.count()) / 1000;
  const auto found = number(name, 0.001, limit);
  if (!found) return fallback;
  return std::max(Millis{1}, Millis{std::llround(*found * 1000)});
}

std::vector<std::string> Arguments::needed_texts(const char* name) {
  std::vector<std::string> texts;
  const auto* value = find(name);
  const bool fits = value != nullptr && value->is_array() && !value->empty() &&
                    std::all_of(value->begin(), value->end(),
                                [](const nlohmann::json& one) { return one.is_string(); });
  if (fits)
    for (const auto& one : *value) texts.push_back(one.get<std::string>());
  else
    wrong(fmt::format("{} needs {}{}, an array of texts", kind_, where_, name));
  return texts;
}

Headers Arguments::text_pairs(const char* name) {
  Headers pairs;
  const auto* value = find(name);
  if (value == nullptr) return pairs;
  if (!value->is_object()) return wrong_type(name, "an object of texts"), pairs;
  for (const auto& [key, one] : value->items()) {
    if (!one.is_string()) wrong(fmt::format("{}{}.{} must be a text", where_, name, key));
    pairs.emplace_back(key, one.is_string() ? one.get<std::string>() : std::string());
  }
  return pairs;
}

Result<void> Arguments::verdict() const {
  if (fault_) return *fault_;
  for (const auto& [name, value] : args_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    return Error{ErrorCode::invalid_field,
                 fmt::format("{} has no args.{}{}", kind_, name, did_you_mean(name, known_))};
  }
  return {};
}

}  // namespace quell
