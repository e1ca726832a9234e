// `${steps.fetch.body}` in a JSON value stands for something that is known later. A text that is
// one reference and nothing else takes the value with its type; inside a longer text it is written
// out.
// `$${` is a plain `${`.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/result.hpp"

namespace quell {

using ReferencePath = std::vector<std::string>;  // "steps", "fetch", "body"

std::string to_string(const ReferencePath& path);

// Every reference in the value's texts; a fault for one that is not closed or has an empty name.
Result<std::vector<ReferencePath>> references_in(const nlohmann::json& value);

// The value with each reference replaced by what `look_up` says.
Result<nlohmann::json> substituted(
    const nlohmann::json& value,
    const std::function<Result<nlohmann::json>(const ReferencePath&)>& look_up);

// What `path`, from its `first` name on, leads to in `root`: fields by name, items by number.
Result<nlohmann::json> value_at(const nlohmann::json& root, const ReferencePath& path,
                                std::size_t first);

}  // namespace quell
