// What a delete call asks for, read from query and body. The guard lives here too: confirmation,
// freeze, dry run, so that no delete route can forget it.
#pragma once

#include <optional>

#include "actors/delete_report.hpp"
#include "http/call.hpp"

namespace quell::http {

// Nothing means that the call is answered already.
std::optional<DeleteRequest> read_single_delete(Call& call, bool& allow_missing);

// `strict`: unknown fields are refused; old clients' bodies are read leniently.
std::optional<DeleteRequest> read_bulk_delete(Call& call, bool strict);

}  // namespace quell::http
