// The runtime's figures in Prometheus' words.
#pragma once

#include <string>
#include <vector>

#include "actors/node/metrics.hpp"
#include "actors/node/node.hpp"

namespace quell {

std::string fleet_metrics(const std::vector<FleetNode>& nodes, bool lease_holds, bool history_lost);
std::string runtime_metrics(const Metrics& metrics, const std::vector<PoolView>& pools);

}  // namespace quell
