#include "actors/fleet/shown_beside.hpp"

namespace quell {

namespace {
std::vector<FleetNode>& kept_beside() {
  static std::vector<FleetNode> nodes;
  return nodes;
}
}  // namespace

void show_beside(std::vector<FleetNode> nodes) {
  kept_beside() = std::move(nodes);
}

const std::vector<FleetNode>& shown_beside() {
  return kept_beside();
}

}  // namespace quell
