// A held delete of ids, or of schedules, between its approval and the moment it is made. The
// approval is committed first, so whoever dies in between leaves a delete that somebody has
// allowed: the node with the janitor's duties makes it, under the same delete_id, so that two who
// do make it once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "actors/node_context.hpp"
#include "actors/safeguards/alert.hpp"

namespace quell {

// So long the node that wrote the approval has for itself.
inline constexpr Millis approved_wait{5'000};

storage::DocOp made_doc(Uuid alert);  // it was made, and is not kept any more

// Of ids: makes it and forgets it; what was not answered is kept for another try.
void make_approved(const std::shared_ptr<NodeContext>& context, Uuid alert, const HeldDelete& held,
                   std::function<void(Result<DeleteReport>)> answer);

struct LeftOver {
  Uuid alert;
  HeldDelete held;
  bool is_made = false;  // and only the note of it was left
};

class ApprovedDeletes {
 public:
  // On a reader: what is approved for so long that whoever approved it has died.
  static Result<std::vector<LeftOver>> find(storage::Reader& reader, Instant now);
  void take_up(const std::vector<LeftOver>& left, const std::shared_ptr<NodeContext>& context);

 private:
  std::map<Uuid, Instant> tried_;
};

}  // namespace quell
