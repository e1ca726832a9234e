// Where the settings of this run come from: files, environment, flags.
#pragma once

#include "http/cli/verbs.hpp"
#include "runtime/settings/settings.hpp"

namespace quell::cli {

Result<Settings> load_settings(const Arguments& args);

// Whether a live server owns the data directory.
bool is_served(const std::string& data_dir);

}  // namespace quell::cli
