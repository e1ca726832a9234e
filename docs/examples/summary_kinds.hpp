// Two kinds as a user of the library writes them: one that calls out, one that blocks.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/task/task.hpp"

namespace summaries {

// snippet: args
struct SummaryArgs {
  std::string url, base_url, model, secret;
  int words = 50;
};
void from_json(const nlohmann::json& json, SummaryArgs& args);
// end

struct CountArgs {
  std::string path;
};
void from_json(const nlohmann::json& json, CountArgs& args);

void add_kinds(quell::Registry& registry);

}  // namespace summaries
