#include "http/celery/host.hpp"

#include <unistd.h>

#include "http/server/server.hpp"
#include "http/server/version.hpp"
#include "runtime/kinds/celery.hpp"
#include "runtime/kinds/python.hpp"

namespace quell::http::celery {

namespace {

// What configures the server is no business of the tasks; what configures the app is the rest.
Headers environment_of_app() {
  Headers environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.starts_with("QUELL_")) continue;
    environment.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return environment;
}

}  // namespace

bool runs_tasks(const SettingValues& values) {
  return !values.celery_app.empty() || !values.python_tasks.empty();
}

Result<std::unique_ptr<Door>> open_door(const SettingValues& values, Registry& registry) {
  const bool has_app = !values.celery_app.empty();
  if (!has_app && !values.celery_listen.empty())
    return Error{ErrorCode::usage,
                 "celery_listen needs the app whose tasks run here: celery, as MODULE:APP"};
  if (!runs_tasks(values)) return std::unique_ptr<Door>();
  const bool in_the_clear = values.tls_cert_file.empty() && !values.celery_listen.empty() &&
                            !is_loopback(values.celery_listen);
  if (in_the_clear && !values.unsafe)
    return Error{ErrorCode::usage,
                 "tokens and tasks would cross the network in the clear: set tls_cert_file and "
                 "tls_key_file (clients then use rediss://), let celery_listen name a loopback "
                 "address, or say --unsafe"};
  auto app = std::make_shared<ForkedApp>();
  app->celery = values.celery_app;
  for (const std::string& name : values.python_tasks)
    app->modules += (app->modules.empty() ? "" : ",") + name;
  app->python = values.celery_python;
  app->directory = values.celery_dir;
  app->environment = environment_of_app();
  app->forks_ahead = values.celery_forks_ahead;
  app->attempts = std::make_shared<quell::celery::Attempts>();
  if (!app->modules.empty()) registry.add("python", python_kind(app));
  if (!has_app) return std::unique_ptr<Door>();
  registry.add("celery", celery_kind(app));
  DoorOptions options;
  options.listen = values.celery_listen;
  options.certificate = values.tls_cert_file;
  options.key = values.tls_key_file;
  options.connections = static_cast<std::size_t>(values.connections_max);
  options.connections_per_address = static_cast<std::size_t>(values.connections_per_address);
  options.login_per_minute = values.login_per_minute;
  options.message_max = values.celery_message_max;
  options.version = version;
  return Door::bind(options, app->attempts);
}

}  // namespace quell::http::celery
