// What an operation asks of the Deleter for a slice.
#pragma once

#include "actors/deletes/delete_report.hpp"
#include "actors/node_context.hpp"
#include "actors/operations/operation.hpp"

namespace quell {

DeleteRequest slice_request(const NodeContext& context, const Operation& operation);
// Nobody knows what became of some of them: the same is asked again.
bool is_unsure(const Result<DeleteReport>& report);

}  // namespace quell
