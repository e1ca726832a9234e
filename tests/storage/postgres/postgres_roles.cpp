#include "tests/storage/postgres/postgres_roles.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "storage/store.hpp"
#include "tests/places.hpp"

namespace quell::storage {

void run_roles_script(TemporaryPostgres& server, const std::string& database) {
  std::stringstream script;
  script << std::ifstream(places::sources() + "/docs/examples/roles.postgres.sql").rdbuf();
  if (script.str().empty()) throw std::runtime_error("the script of the roles is not there");
  server.run(database, script.str());
}

void make_roles(TemporaryPostgres& server, const std::string& database) {
  run_roles_script(server, database);
  const auto owned = open_store(server.url(database, std::string("user=") + owner_role), {});
  if (!owned.ok()) throw std::runtime_error(to_string(owned.error()));
  run_roles_script(server, database);
}

}  // namespace quell::storage
