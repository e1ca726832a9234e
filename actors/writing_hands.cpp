#include "actors/writing_hands.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "actors/scribe.hpp"
#include "actors/send.hpp"
#include "runtime/assert.hpp"

namespace quell {

namespace {

bool claims_under_limits(const storage::Batch& ops) {
  return std::any_of(ops.claims.begin(), ops.claims.end(),
                     [](const storage::ClaimOp& claim) { return claim.limits.any(); });
}

}  // namespace

WritingHands::WritingHands(caf::actor_system& system,
                           std::vector<std::unique_ptr<storage::Writer>> writers,
                           bool own_threads) {
  QUELL_ASSERT(!writers.empty());
  for (auto& writer : writers) hands_.push_back({std::move(writer)});
  if (!several()) return;
  for (Hand& hand : hands_) hand.scribe = spawn_scribe(system, hand.writer, own_threads);
}

storage::Writer& WritingHands::own() {
  QUELL_ASSERT(!busy());
  return *hands_.front().writer;
}

void WritingHands::give(std::shared_ptr<Commit> commit, const caf::weak_actor_ptr& clerk) {
  const auto is_free = [](const Hand& hand) { return hand.commit == nullptr; };
  auto idle = hands_.begin();
  if (!claims_under_limits(commit->joined.ops()))
    idle = std::prev(std::find_if(hands_.rbegin(), hands_.rend(), is_free).base());
  QUELL_ASSERT(several() && !all_busy() && is_free(*idle));
  busy_ += 1;
  idle->commit = std::move(commit);
  std::shared_ptr<const storage::Batch> batch(idle->commit, &idle->commit->joined.ops());
  tell(idle->scribe,
       ApplyBatch{static_cast<std::size_t>(idle - hands_.begin()), std::move(batch), clerk});
}

std::shared_ptr<Commit> WritingHands::take_back(std::size_t hand) {
  QUELL_ASSERT(hand < hands_.size() && hands_[hand].commit != nullptr);
  busy_ -= 1;
  return std::exchange(hands_[hand].commit, nullptr);
}

void WritingHands::dismiss() {
  for (Hand& hand : hands_) {
    if (hand.scribe) caf::anon_send_exit(hand.scribe, caf::exit_reason::user_shutdown);
    hand.scribe = nullptr;
  }
}

}  // namespace quell
