// The runtime's figures in Prometheus' words.
#pragma once

#include <string>
#include <vector>

#include "actors/figures.hpp"
#include "actors/node.hpp"

namespace quell {

std::string fleet_metrics(const std::vector<FleetNode>& nodes, bool lease_holds);
std::string runtime_metrics(const Figures& figures, const std::vector<PoolView>& pools);

}  // namespace quell
