// The kind `celery`: one task of the team's own Celery app, run by Celery itself in a process that
// the fork server forks for this attempt.
#pragma once

#include <memory>
#include <string>

#include "runtime/celery/attempts.hpp"
#include "runtime/task/task.hpp"

namespace quell {

struct CeleryBody {
  std::string app;  // MODULE:APP
  std::string python = "/usr/bin/python3";
  std::string directory = {};  // where the app is imported from
  Headers environment = {};    // of the server, which is how its owner configures the app
  std::shared_ptr<celery::Attempts> attempts;
};

Kind celery_kind(std::shared_ptr<const CeleryBody> body);

// A pair in the environment of a request that asks for a child of the fork server. Its value is of
// this process alone, so that no job of another kind can ask for one; it is not passed on.
inline constexpr const char* fork_server_variable = "QUELL_FORK_SERVER";
const std::string& fork_server_word();

// Python that the program carries: the fork server (which also checks an app), and the import.
const char* celery_fork_server_source();
const char* celery_import_source();

}  // namespace quell
