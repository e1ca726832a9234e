// A setting between its text and its member: what people write becomes the value, or a sentence
// that says what the setting takes; and back, for `quell config show`. Only the settings need this.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/settings/settings.hpp"

namespace quell {

using SettingItems = std::vector<std::string>;  // one, but for lists

// "pool = a=1, b=2" as items; blanks around a comma are no part of them.
SettingItems setting_items(SettingType type, std::string_view text);

// Sets the row's member, or answers what is wrong; then the member is as it was.
std::optional<std::string> set_value(SettingValues& values, const SettingInfo& row,
                                     const SettingItems& items);

std::string shown_value(const SettingValues& values, std::string_view name);

}  // namespace quell
