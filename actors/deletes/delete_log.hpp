// Every cleanup is in the log with its job's id and outcome; who greps for a job finds the steps
// done.
#pragma once

#include <string>

#include "actors/deletes/delete_report.hpp"
#include "actors/node_context.hpp"

namespace quell {

void log_outcomes(const NodeContext& context, const std::string& who, const DeleteReport& report);

}  // namespace quell
