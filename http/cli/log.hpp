// Where the server's log lines go: standard error, as text for people or as JSON for machines.
#pragma once

#include <string>

#include "actors/node/node.hpp"

namespace quell::cli {

void open_log(const std::string& level, bool as_json);
void log_line(LogLevel level, const std::string& text, const std::string& fields);
void flush_log();

}  // namespace quell::cli
