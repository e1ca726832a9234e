// What a delete call asks for, read from query and body. Whether it may be done the node decides,
// for every way of deleting alike.
#pragma once

#include <optional>

#include "actors/deletes/delete_report.hpp"
#include "http/api/request_context.hpp"

namespace quell::http {

// Nothing means that the call is answered already.
std::optional<DeleteRequest> read_single_delete(RequestContext& call, bool& allow_missing);

// `strict`: unknown fields are refused; old clients' bodies are read leniently.
std::optional<DeleteRequest> read_bulk_delete(RequestContext& call, bool strict);

}  // namespace quell::http
