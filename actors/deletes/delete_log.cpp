#include "actors/deletes/delete_log.hpp"

namespace quell {

void log_outcomes(const NodeContext& context, const std::string& who, const DeleteReport& report) {
  const auto& log = context.settings->log;
  if (!log) return;
  for (const JobOutcome& one : report.outcomes)
    log(LogLevel::info, "job delete", outcome_fields(who, report, one));
}

}  // namespace quell
