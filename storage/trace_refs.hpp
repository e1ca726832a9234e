// Under which refs the audit tells of one id: its own, that of the delete which took it, that of
// the schedule which fired it. The same for all stores.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "storage/reader.hpp"

namespace quell::storage {

inline std::vector<std::string> trace_refs(Uuid id, const std::string& schedule,
                                           const TraceRows& found) {
  std::vector<std::string> refs{id.text()};
  const auto add = [&refs](const std::string& ref) {
    if (!ref.empty() && std::find(refs.begin(), refs.end(), ref) == refs.end()) refs.push_back(ref);
  };
  if (found.tomb) add(found.tomb->delete_id.text());
  if (found.tomb) add(found.tomb->life.schedule);
  if (found.ticket) add(found.ticket->delete_id.text());
  add(schedule);
  return refs;
}

inline void sort_audit(std::vector<AuditRow>& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const AuditRow& a, const AuditRow& b) { return a.no < b.no; });
}

}  // namespace quell::storage
