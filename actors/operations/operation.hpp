// One operation as it is stored: what was asked, and how far it is. A document of the store,
// written again with each slice, so that whoever takes it up knows which jobs may be half done.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/policy/operation_plan.hpp"
#include "storage/reader.hpp"

namespace quell {

// Its id is the delete_id of all that it deletes: the tombstones are its outcomes.
struct OperationOrder {
  Uuid id;
  OperationVerb verb = OperationVerb::erase;
  storage::JobFilter filter;  // bounded by the moment of the preview
  std::string filter_text;    // as it was written
  std::string project = {};   // "" = any
  std::string who = {}, reason = {};
  std::int64_t expected = 0;        // what was previewed; it never acts on more
  std::int64_t per_second_max = 0;  // 0: as fast as it goes
  std::optional<Millis> keep_copy = {};
  std::vector<std::string> scopes = {};  // of the caller: what it may have run again
  Instant at = {};
  bool confirm = false, approved = false;
  std::string held_key = {};  // see DeleteRequest
};

struct Operation : OperationOrder {
  OperationState state = OperationState::running;
  bool is_stopping = false;
  std::string paused_by = {}, note = {};
  std::int64_t obeyed = 0;  // the version of the last wish that was heard
  storage::NodeLife owner = {};
  std::optional<JobId> after = {};  // keyset: what follows is below it
  bool is_listed = false;
  std::vector<JobId> slice = {};  // noted before anything is done to it
  std::int64_t handled = 0;       // jobs of all settled slices
  std::map<std::string, std::int64_t> counts = {};
  // Of those that are counted as pending: who was not down when its slice was done, to be looked at
  // again at the end; and by what they count as, who is gone and not known to be in a standby.
  std::vector<JobId> open = {};
  std::map<std::string, std::int64_t> awaiting = {};
  std::optional<storage::Durability> durability = {};  // the weakest of its commits
  std::optional<Uuid> outcomes = {};                   // the last page of them
  Millis active{0};                                    // time that went into slices
  std::optional<Instant> ended = {};
  std::string receipt = {};
};

std::string to_json(const Operation& operation);
// Nothing: written by a version that this one does not understand.
std::optional<Operation> operation_from_json(const std::string& text);

std::string filter_json(const storage::JobFilter& filter);

double per_second(const Operation& operation);
std::optional<Millis> time_left(const Operation& operation);

// ---- documents ----
inline constexpr const char *operation_kind = "operation", *ended_operation_kind = "operation_done",
                            *operation_wish_kind = "operation_wish",
                            *operation_outcomes_kind = "operation_outcomes";
inline constexpr Millis operation_keep{std::chrono::hours{24 * 7}};
// Of what hangs on one that goes on for long, or is paused and forgotten.
inline constexpr Millis operation_part_keep{std::chrono::hours{24 * 37}};
inline constexpr std::size_t operations_at_once_max = 100;

storage::DocOp operation_doc(const Operation& operation, std::optional<std::int64_t> if_version);
storage::DocOp wish_doc(const Operation& operation, OperationWish wish, const std::string& who,
                        Instant now);
OperationWish wish_of(const storage::Doc& doc);

}  // namespace quell
