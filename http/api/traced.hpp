// Whatever an id may name, looked for: a job that is here, its tombstone, a delete, a schedule, a
// delivery. What belongs to another project is not found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/operations/operation.hpp"
#include "runtime/base/result.hpp"
#include "runtime/policy/life_line.hpp"
#include "storage/reader.hpp"

namespace quell::http {

struct Asker {
  std::string project;     // "" = all
  std::string who;         // sees its own delete calls
  std::string public_key;  // PEM, of this node
};

// What its receipt says, and whether the signature is this server's.
struct ReceiptCheck {
  std::string state = "none";  // none, unsigned, valid, invalid, other_key
  std::string key_id;          // that signed it
  std::string receipt;         // JSON
  std::string counts;          // JSON, as signed
  std::string own;             // JSON, of the job that was asked for
  std::optional<std::int64_t> audit_no;
};
ReceiptCheck check_receipt(const std::string& receipt, const std::string& public_key,
                           const std::optional<JobId>& job);

struct Traced {
  // other: the audit tells of it, as of an operation that cancelled
  enum class What : std::uint8_t { nothing, job, deletion, schedule, delivery, other };
  What what = What::nothing;
  LifeFacts facts;
  std::optional<storage::CallView> call;
  ReceiptCheck receipt;
  std::optional<Operation> operation;  // that deleted it
  std::optional<storage::ScheduleRow> schedule;
  bool schedule_is_gone = false;
  std::optional<storage::DeliveryView> delivery;
  std::optional<storage::CopyHead> copy;
  std::int64_t erased = 0, waiting = 0;  // of a deletion: tombstones, and jobs that still leave
  std::vector<storage::AuditRow> audit;  // "" to who belongs to one project
};

Result<Traced> trace_id(storage::Reader& reader, Uuid id, const Asker& asker, Instant now);

std::string traced_json(const Traced& traced, Uuid id);

}  // namespace quell::http
