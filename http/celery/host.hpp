// Everything that a node needs to run the tasks of a Celery app: the kind, and the door through
// which clients and the tasks' own processes speak to it.
#pragma once

#include <memory>

#include "http/celery/door.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/task/task.hpp"

namespace quell::http::celery {

struct CelerySettings {
  std::string app, listen, directory, python;  // "": none, or the default
};

// Null when no app is named. Adds the kind to the registry.
Result<std::unique_ptr<Door>> open_door(const CelerySettings& celery, const SettingValues& values,
                                        Registry& registry);

}  // namespace quell::http::celery
