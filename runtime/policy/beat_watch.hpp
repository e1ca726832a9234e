// Calling another node dead: not by a time that somebody wrote (clocks differ, and jump), but by
// having watched its beat stand still. Two looks that see the same beat prove stillness from the
// end of the first to the start of the second; a gap in the watching proves nothing, so that a
// store that was away for everyone kills nobody.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"

namespace quell {

struct NodeBeat {
  NodeId node;
  std::int64_t life = 0, beat = 0;
  bool operator==(const NodeBeat&) const = default;
};

class BeatWatch {
 public:
  // `widest`: a longer time between two looks is a gap.
  BeatWatch(Millis lease, Millis widest) : lease_(lease), widest_(widest) {}

  // The living nodes as one look saw them; it began and ended at these times of one monotonic
  // clock. Answers those whose beat has stood still for the whole lease. Who is not seen is
  // forgotten.
  std::vector<NodeBeat> look(Millis began, Millis ended, const std::vector<NodeBeat>& seen);
  // How long this node's beat has been watched standing still; nothing was watched: 0.
  Millis still(const NodeId& node) const;

 private:
  struct Watched {
    NodeBeat beat;
    Millis still{0};
  };
  Millis lease_, widest_;
  Millis last_ended_{0};
  std::map<NodeId, Watched> nodes_;
};

}  // namespace quell
