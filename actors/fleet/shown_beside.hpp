// Nodes that are shown beside this process's own although nobody else writes to its store: of a
// demo, which has only their rows. Set before a node starts, read by every thread.
#pragma once

#include <vector>

#include "actors/node/node.hpp"

namespace quell {

void show_beside(std::vector<FleetNode> nodes);
const std::vector<FleetNode>& shown_beside();

}  // namespace quell
