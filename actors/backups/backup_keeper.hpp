// Makes backups by the timetable, one over the fleet for each due time, and when a person asks;
// removes those that the rotation does not keep. The node that leads the timekeeper's duties has
// the timetable; what it made is a document that whoever leads next reads.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_backup_keeper(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
