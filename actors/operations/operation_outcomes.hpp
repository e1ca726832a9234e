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
std::string count_steered(Operation& operation, const std::vector<JobId>& jobs,
                          const std::vector<storage::SteerResult>& results);
// Jobs that the same commit steers: what it did is known behind it, by whoever is alive then.
std::string count_unknown(Operation& operation, const std::vector<JobId>& jobs);
// Jobs that the caller may not have run again.
std::string count_forbidden(Operation& operation, const std::vector<JobId>& jobs);

// What became of those that were pending when their slice was done, and of a slice that was left
// half done: nobody counted them yet.
Result<DeleteCounts> look_at_open(storage::Reader& reader, const Operation& operation);
// The last word: what was counted slice by slice, and what became of the open ones. Never by the
// tombstones as they are at the end: whoever was restored and deleted again has another call's.
DeleteCounts final_counts(const Operation& operation, const DeleteCounts& open);
void set_counts(Operation& operation, const DeleteCounts& counts);

// `items` as the next page; the operation names it as its last.
storage::DocOp outcomes_doc(Operation& operation, Uuid page, const std::string& items, Instant now);

struct OutcomePage {
  std::string items;           // JSON objects, with commas between
  std::optional<Uuid> before;  // the page before it
};
std::optional<OutcomePage> outcomes_of(const storage::Doc& doc);

}  // namespace quell
