// The two roles of docs/examples/roles.postgres.sql, as its first lines say how to make them.
#pragma once

#include <string>

#include "tests/storage/postgres/temporary_postgres.hpp"

namespace quell::storage {

inline constexpr const char* owner_role = "quell_owner";
inline constexpr const char* app_role = "quell_app";

void run_roles_script(TemporaryPostgres& server, const std::string& database);
// The script, the owner's first start, the script again.
void make_roles(TemporaryPostgres& server, const std::string& database);

}  // namespace quell::storage
