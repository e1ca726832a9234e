// A verb for all jobs of a filter: the preview is shown, the number confirmed, the operation begun
// and followed to its end.
#pragma once

#include <string>

#include "http/cli/verbs.hpp"

namespace quell::cli {

int by_filter(const Arguments& args, const std::string& verb, const std::string& filter);

}  // namespace quell::cli
