// Steering: cancel, revive, run_now; and who may have to be told of it. Included by batch.hpp,
// whose words these are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/law/job.hpp"
#include "storage/until_by_queue.hpp"

namespace quell::storage {

// One start of one node. A node that restarts has a new life; what an earlier life held is not its
// own.
struct NodeLife {
  NodeId node;
  std::int64_t life = 0;
  bool operator==(const NodeLife&) const = default;
};

// Whoever can still act for a job: its run, or one webhook delivery in flight.
enum class HolderKind : std::uint8_t { run, delivery };
struct Holder {
  HolderKind what = HolderKind::run;
  Uuid ref;  // the job, or the delivery
  NodeLife owner;
  int epoch = 0;  // of the run that holds, before the mark
};

// A document as it was read.
struct DocAt {
  std::string kind, id;
  std::int64_t version = 0;
  bool operator==(const DocAt&) const = default;
};

struct SteerOp {
  JobId job;
  JobEvent event;  // cancel | revive | run_now
  std::string who;
  Instant now;
  std::string project = {};
  UntilByQueue expires = {};  // of the final record
  // Refused when the document is not at this version before the batch: what steers in its name is
  // done once, whoever believes that it is his and however late it comes.
  std::optional<DocAt> only_at = {};
};
enum class SteerAnswer : std::uint8_t { moved, requested, refused, leaving, gone, not_found };
struct SteerResult {
  SteerAnswer answer = SteerAnswer::not_found;
  JobState state = JobState::queued;  // after
  std::optional<Holder> runner;       // requested: who must be told
  std::string queue = {};
  std::optional<DeleteId> delete_id;
};

}  // namespace quell::storage
