#include "http/celery/host.hpp"

#include <unistd.h>

#include "http/server/server.hpp"
#include "http/server/version.hpp"
#include "runtime/kinds/celery.hpp"

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

Result<std::unique_ptr<Door>> open_door(const CelerySettings& celery, const SettingValues& values,
                                        Registry& registry) {
  if (celery.app.empty()) {
    if (celery.listen.empty()) return std::unique_ptr<Door>();
    return Error{ErrorCode::usage,
                 "--celery-listen needs the app whose tasks run here: --celery "
                 "MODULE:APP"};
  }
  const bool in_the_clear =
      values.tls_cert_file.empty() && !celery.listen.empty() && !is_loopback(celery.listen);
  if (in_the_clear && !values.unsafe)
    return Error{ErrorCode::usage,
                 "tokens and tasks would cross the network in the clear: set tls_cert_file and "
                 "tls_key_file (clients then use rediss://), let --celery-listen name a loopback "
                 "address, or say --unsafe"};
  auto body = std::make_shared<CeleryBody>();
  body->app = celery.app;
  if (!celery.python.empty()) body->python = celery.python;
  body->directory = celery.directory;
  body->environment = environment_of_app();
  body->attempts = std::make_shared<quell::celery::Attempts>();
  registry.add("celery", celery_kind(body));
  DoorOptions options;
  options.listen = celery.listen;
  options.certificate = values.tls_cert_file;
  options.key = values.tls_key_file;
  options.connections = static_cast<std::size_t>(values.connections_max);
  options.version = version;
  return Door::bind(options, body->attempts);
}

}  // namespace quell::http::celery
