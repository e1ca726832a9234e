// Reads the three layers that people write (TOML, environment, flags) into plain texts by name, and
// collects every fault on the way, so that a person mends all of them in one go. Only settings.cpp
// needs this.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/settings/settings.hpp"

namespace quell {

struct RawSetting {
  std::vector<std::string> items;  // one, but for lists
  SettingOrigin origin;
};

struct RawSettings {
  std::map<std::string, RawSetting, std::less<>> found;
  std::vector<std::string> faults;
  std::vector<std::string> warnings;
};

RawSettings read_layers(const SettingSources& sources);

}  // namespace quell
