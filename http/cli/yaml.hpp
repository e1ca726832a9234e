// JSON as YAML, for people who read it: block style, and every text as a quoted JSON string, which
// YAML 1.2 reads the same, so that no text can be taken for a number or a truth.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace quell::cli {

std::string yaml_of(const nlohmann::ordered_json& value);

}  // namespace quell::cli
