// A file of settings: it loads or is told why, the same each time; a secret is never shown; and
// what is shown, given back as flags, means the same.
#include "runtime/settings/settings.hpp"

#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

namespace {

Result<Settings> loaded(const std::string& text) {
  SettingSources sources;
  sources.files.push_back({"f", text});
  sources.environment["HOME"] = "/home/a";
  return Settings::load(sources);
}

bool is_one_flag(const SettingInfo& row, const Settings& settings) {
  if (row.type == SettingType::secret) return false;
  if (row.type != SettingType::list) return true;
  return settings.shown(row.name).find(",,") == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{fuzz::text_of(data, size)};
  if (text.find("_file") != std::string::npos) return 0;  // names a file of this machine
  const auto settings = loaded(text), same = loaded(text);
  hold(settings.ok() == same.ok(), "read twice is the same");
  if (!settings) {
    hold(!settings.error().detail.empty(), "a refusal says why");
    hold(settings.error().detail == same.error().detail, "in the same words");
    return 0;
  }
  SettingSources flags;
  for (const SettingInfo& row : setting_infos()) {
    const std::string shown = settings->shown(row.name);
    hold(shown == same->shown(row.name), "the same values");
    if (row.type == SettingType::secret)
      hold(shown == "(set)" || shown == "(not set)", "a secret is not shown");
    // A password was taken out of what is shown, and a list may hold what splits it.
    if (is_one_flag(row, *settings) && shown.find("***") == std::string::npos && !shown.empty() &&
        row.type != SettingType::list)
      flags.flags.emplace_back(row.name, shown);
  }
  for (const std::string& pool : settings->values.pool) flags.flags.emplace_back("pool", pool);
  for (const std::string& queue : settings->values.queue) flags.flags.emplace_back("queue", queue);
  const auto again = Settings::load(flags);
  if (!again && again.error().detail.find("outbound_allow") != std::string::npos) return 0;
  for (const auto& [name, value] : flags.flags)
    if (again) hold(again->shown(name) == settings->shown(name), "as flags they mean the same");
  return 0;
}
