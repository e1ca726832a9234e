// Delete replies. The five fields of the old contract keep their names and meaning; beside them
// stands, per job and in total, what is proven, what is not, and what is still missing.
#pragma once

#include <string>

#include "actors/deletes/delete_report.hpp"
#include "http/server/message.hpp"

namespace quell::http {

enum class OutcomeDetail : std::uint8_t { failed_only, brief, full };

// "3 of 5 jobs deleted, 1 was already gone, 1 is still being deleted."
std::string delete_message(const DeleteReport& report);

// 200 when everything is final, 202 with Location and Retry-After when anything is pending.
Response bulk_delete_response(const DeleteReport& report, OutcomeDetail detail);

// `unknown_is_gone`: an id never seen is answered as already gone instead of with 404.
Response single_delete_response(const DeleteReport& report, bool unknown_is_gone,
                                std::string_view instance, std::string_view request_id);

void append_counts(std::string& out, const DeleteCounts& counts);
// `replicate`: the node waits for a standby, and tells of that step too.
void append_outcome(std::string& out, const JobOutcome& outcome, OutcomeDetail detail,
                    bool replicate);

std::string deletion_path(const DeleteId& id);

}  // namespace quell::http
