// Two kinds of a project of its own.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/task/task.hpp"

namespace greetings {

struct GreetArgs {
  std::string name;
  double pause_s = 0;
};
void from_json(const nlohmann::json& json, GreetArgs& args);

struct CountArgs {
  std::string text;
};
void from_json(const nlohmann::json& json, CountArgs& args);

void add_kinds(quell::Registry& registry);

}  // namespace greetings
