// What a delete call is told: per job and in total, truthfully. What is unknown is nullopt, never
// 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/law/delete_protocol.hpp"
#include "runtime/law/deletion_guard.hpp"
#include "runtime/law/job.hpp"
#include "runtime/signing/audit_chain.hpp"
#include "storage/reader.hpp"

namespace quell {

struct DeleteRequest {
  std::vector<JobId> jobs;  // as sent; duplicates are folded
  std::string who, reason, path = "api", remote = {};
  std::string project = {};              // "" = any
  std::optional<Millis> keep_copy = {};  // archive for so long; nullopt: the setting decides
  bool dry_run = false;
  Millis wait{5'000};  // then the report comes as it stands
  DeletionOrigin origin = DeletionOrigin::single;
  bool confirm = false;
  bool frozen = false;  // a dry run, while deletions are
  // A slice of this operation, which has the delete_id, the receipt and the last word.
  std::optional<DeleteId> of_operation = {};
  // Its delete_id, known before it was made: so it can be made again and is one delete.
  std::optional<DeleteId> made_as = {};
  bool in_summary = false;    // of so many jobs that they are told in one message
  bool approved = false;      // the spike guard held it, and an administrator let it go
  std::string held_key = {};  // of the caller's Idempotency-Key: under it it is held once
  bool keep_receipt = true;   // false for what expired: no call, no receipt, tombstones alone
};

// An erase without proof of what is marked already.
struct ForceRequest {
  DeleteId delete_id;
  std::string who, reason;
  bool confirm = false, dry_run = false;
  bool frozen = false;  // a dry run, while deletions are
};

enum class JobFate : std::uint8_t {
  deleted,
  already_gone,
  not_found,
  pending,
  failed,
  would_delete
};

struct JobOutcome {
  JobId job;
  JobFate fate = JobFate::not_found;
  std::optional<JobState> was = {};
  std::optional<Verdict> verdict = {};     // why it is (or is not) proven down
  std::optional<DeleteId> delete_id = {};  // the first call's, when joined
  bool joined = false;
  std::optional<int> epoch = {};
  std::optional<int> slots_freed = {};
  bool mark = false, stop = false, release = false, erase = false;  // steps done
  int deliveries_removed = 0, deliveries_aborted = 0;               // aborted ones may have arrived
  bool replicate = false;  // a standby is known to have the erasure
  bool deliveries_known = true;
  std::optional<int> effects_aborted = {};     // in flight when the gate closed
  std::optional<std::string> run_report = {};  // JSON: what had been streamed, tokens, cost
  std::optional<Instant> deleted_at = {};
  std::optional<Instant> copy_until = {};
  std::optional<Error> error = {};
  std::string queue = {};
};

struct DeleteReport {
  DeleteId delete_id;
  DeleteCounts counts;
  std::vector<JobOutcome> outcomes;  // in order of first appearance
  bool complete = false;             // nothing is pending
  bool dry_run = false;
  bool frozen = false;  // a dry run, while deletions are
  Instant at;
  std::string receipt;  // signed envelope (JSON), "" until complete
  // The weakest of the commits that it speaks of; nothing when it speaks of none.
  std::optional<storage::Durability> durability = {};
  bool requires_replica = false;  // then its steps say `replicate`
};

// What a job counts as, from what it was and why it is down.
enum class CountsAs : std::uint8_t { dequeued, killed, finished_first, at_rest, unproven };
CountsAs counts_as(JobState was, Verdict verdict);

// The totals; asserts that they add up.
DeleteCounts count(const std::vector<JobOutcome>& outcomes, std::size_t requested);

std::string_view to_string(JobFate fate);

// What a call erased, as the tombstones tell it. What only a process knew that has died since is
// unknown.
DeleteReport report_of(const storage::CallView& call,
                       const std::vector<storage::Tombstone>& tombstones);

// What the receipt signs: exact bytes, one line of JSON. The audit log's head anchors its chain
// outside the database: a tail that is cut off later is missed.
std::string receipt_payload(const DeleteReport& report, const DeleteRequest& request,
                            const AuditHead& audit_head = {});
// One outcome as a log line's fields: the inside of a JSON object.
std::string outcome_fields(const std::string& who, const DeleteReport& report,
                           const JobOutcome& one);
std::string counts_json(const DeleteCounts& counts);

}  // namespace quell
