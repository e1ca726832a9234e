// `${steps.fetch.body}` in a JSON value stands for something that is known later. A text that is
// one reference and nothing else takes the value with its type; inside a longer text it is written
// out.
// `$${` is a plain `${`.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace quell {

using ReferencePath = std::vector<std::string>;  // "steps", "fetch", "body"

// What a reference stands for; it lives as long as the substitution.
using LookUp = std::function<Result<const nlohmann::json*>(const ReferencePath&)>;

inline constexpr std::size_t most_references = 1'000;
inline constexpr std::size_t most_substituted_bytes = 16 << 20;

std::string to_string(const ReferencePath& path);

// Every reference in the value's texts; a fault for one that is not closed or has an empty name,
// and for too many of them.
Result<std::vector<ReferencePath>> references_in(const nlohmann::json& value);

// The value with each reference replaced by what `look_up` says; a fault when that is too much.
Result<nlohmann::json> substituted(const nlohmann::json& value, const LookUp& look_up);

// What `path`, from its `first` name on, leads to in `root`: fields by name, items by number.
Result<const nlohmann::json*> value_at(const nlohmann::json& root, const ReferencePath& path,
                                       std::size_t first);

}  // namespace quell
