// The delete's steps and verdicts (spec/delete_protocol.def), and the counts that every reply must
// add up to.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quell {

enum class DeleteStep : std::uint8_t {
#define DELETE_STEP(name, durable, by, sentence) name,
#include "runtime/spec/delete_protocol.def"
#undef DELETE_STEP
};

enum class Verdict : std::uint8_t {
#define DELETE_VERDICT(name, proof, sentence) name,
#include "runtime/spec/delete_protocol.def"
#undef DELETE_VERDICT
};

enum class Proof : std::uint8_t { proven, unproven, pending };

std::string_view to_string(DeleteStep step);
std::string_view sentence(DeleteStep step);
bool is_durable(DeleteStep step);
std::string_view to_string(Verdict verdict);
std::string_view sentence(Verdict verdict);
std::optional<Verdict> parse_verdict(std::string_view text);
Proof proof_of(Verdict verdict);

struct DeleteCounts {
  std::uint64_t requested = 0;  // ids as sent
  std::uint64_t distinct = 0;   // duplicates folded
  std::uint64_t deleted = 0;
  std::uint64_t dequeued = 0;        // waited: queued, scheduled, or claimed and never started
  std::uint64_t killed = 0;          // runs stopped, proven
  std::uint64_t finished_first = 0;  // ended by itself between mark and stop
  std::uint64_t at_rest = 0;         // were final before
  std::uint64_t unproven = 0;        // erased without proof that the run is down
  std::uint64_t slots_freed = 0;     // permits that came back because of this call
  std::uint64_t already_gone = 0;
  std::uint64_t pending = 0;
  std::uint64_t failed = 0;  // refused or store error: the job is unchanged

  bool operator==(const DeleteCounts&) const = default;
};

// distinct = deleted + already_gone + pending + failed;
// deleted = killed + dequeued + finished_first + at_rest + unproven.
bool add_up(const DeleteCounts& counts);

}  // namespace quell
