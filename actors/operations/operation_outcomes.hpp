// What became of the jobs of an operation: counted, and those that cannot be read from a tombstone
// are kept as pages, each of which names the one before it. A page that nobody names was written by
// a node that had lost the operation; it is forgotten with its time.
#pragma once

#include <string>
#include <vector>

#include "actors/deletes/delete_report.hpp"
#include "actors/operations/operation.hpp"
#include "runtime/base/id.hpp"

namespace quell {

// Each adds to the counts; the outcomes that are to be kept come back as JSON objects, or "".
std::string count_erased(Operation& operation, const DeleteReport& report);
// `again`: the slice was begun before, so what is as it was wanted is its own work.
std::string count_steered(Operation& operation, const std::vector<JobId>& jobs,
                          const std::vector<storage::SteerResult>& results, bool again);
// Jobs that the caller may not have run again.
std::string count_forbidden(Operation& operation, const std::vector<JobId>& jobs);

DeleteCounts counts_of(const std::vector<storage::GraveCount>& graves);
// The last word: what the tombstones say, and of what has none what was counted before.
DeleteCounts final_counts(const Operation& operation, const DeleteCounts& graves,
                          std::size_t still_held);
void set_counts(Operation& operation, const DeleteCounts& counts);

// `items` as the next page; the operation names it as its last.
storage::DocOp outcomes_doc(Operation& operation, Uuid page, const std::string& items, Instant now);

struct OutcomePage {
  std::string items;           // JSON objects, with commas between
  std::optional<Uuid> before;  // the page before it
};
std::optional<OutcomePage> outcomes_of(const storage::Doc& doc);

}  // namespace quell
