#include "runtime/policy/beat_watch.hpp"

#include <algorithm>

namespace quell {

std::vector<NodeBeat> BeatWatch::look(Millis began, Millis ended,
                                      const std::vector<NodeBeat>& seen) {
  const Millis between = std::max(Millis{0}, began - last_ended_);
  const bool gap = between > widest_;
  last_ended_ = ended;
  std::map<NodeId, Watched> now;
  std::vector<NodeBeat> dead;
  for (const NodeBeat& beat : seen) {
    Watched watched{beat};
    const auto before = nodes_.find(beat.node);
    if (before != nodes_.end() && before->second.beat == beat && !gap)
      watched.still = before->second.still + between;
    if (watched.still >= lease_) dead.push_back(beat);
    now.emplace(beat.node, watched);
  }
  nodes_.swap(now);
  return dead;
}

Millis BeatWatch::still(const NodeId& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? Millis{0} : found->second.still;
}

}  // namespace quell
