// Everything that a node needs to run the tasks of a Celery app: the kind, and the door through
// which clients and the tasks' own processes speak to it.
#pragma once

#include <memory>

#include "http/celery/door.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/task/task.hpp"

namespace quell::http::celery {

// Whether this node runs tasks of Python in processes of a fork server.
bool runs_tasks(const SettingValues& values);

// Null when no app is named. Adds the kinds to the registry.
Result<std::unique_ptr<Door>> open_door(const SettingValues& values, Registry& registry);

}  // namespace quell::http::celery
