// An operation, a preview and an alert, as clients see them.
#pragma once

#include <string>

#include "actors/operations/operation.hpp"
#include "http/api/filter_count.hpp"
#include "http/api/views/json_writer.hpp"

namespace quell::http {

void append_operation(std::string& out, const Operation& operation);
std::string operation_path(const Uuid& id);

// Counts by status with what runs first, groups, and a sample: the members of a preview.
void append_count(ObjectWriter& view, const FilterCount& count);

}  // namespace quell::http
