#include "runtime/settings.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "runtime/assert.hpp"
#include "runtime/setting_layers.hpp"

namespace quell {

namespace {

// The fallback column as it is written: "text" with its quotes, numbers and flags without.
constexpr std::string_view unquoted(std::string_view written) {
  if (written.size() >= 2 && written.front() == '"') return written.substr(1, written.size() - 2);
  return written;
}

constexpr std::string_view options_of([[maybe_unused]] std::string_view name) {
#define SETTING_CHOICE(choice, options) \
  if (name == #choice) return options;
#include "runtime/spec/settings.def"
#undef SETTING_CHOICE
  return {};
}

constexpr std::array infos{
#define SETTING(name, type, fallback, min, max, sentence) \
  SettingInfo{#name, SettingType::type, unquoted(#fallback), min, max, options_of(#name), sentence},
#include "runtime/spec/settings.def"
#undef SETTING
};

std::optional<std::string> assign(std::int64_t& member, const SettingInfo& row,
                                  const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  if (!whole || value < row.min || value > row.max)
    return "'" + text + "' is not a whole number from " + std::to_string(row.min) + " to " +
           std::to_string(row.max);
  member = value;
  return std::nullopt;
}

std::optional<std::string> assign(bool& member, const SettingInfo&, const std::string& text) {
  const bool yes = text == "true" || text == "1" || text == "yes" || text == "on";
  const bool no = text == "false" || text == "0" || text == "no" || text == "off";
  if (!yes && !no) return "'" + text + "' is neither true nor false";
  member = yes;
  return std::nullopt;
}

std::optional<std::string> assign(std::string& member, const SettingInfo& row,
                                  const std::string& text) {
  if (row.type == SettingType::choice) {
    const std::string padded = " " + std::string(row.options) + " ";
    if (text.find(' ') != std::string::npos || padded.find(" " + text + " ") == std::string::npos)
      return "'" + text + "' is none of: " + std::string(row.options);
  }
  member = text;
  return std::nullopt;
}

std::optional<std::string> assign(Secret& member, const SettingInfo&, const std::string& text) {
  member = Secret(text);
  return std::nullopt;
}

std::optional<std::string> assign_items(std::vector<std::string>& member, const SettingInfo&,
                                        const std::vector<std::string>& items) {
  member = items;
  return std::nullopt;
}

template <class Member>
std::optional<std::string> assign_items(Member& member, const SettingInfo& row,
                                        const std::vector<std::string>& items) {
  QUELL_ASSERT(items.size() == 1);
  return assign(member, row, items.front());
}

std::optional<std::string> apply(SettingValues& values, const SettingInfo& row,
                                 const std::vector<std::string>& items) {
#define SETTING(member, type, fallback, min, max, sentence) \
  if (row.name == #member) return assign_items(values.member, row, items);
#include "runtime/spec/settings.def"
#undef SETTING
  QUELL_ASSERT(!"a row without a member");
  return std::nullopt;
}

std::string show(const std::string& value) {
  return without_password(value);
}
std::string show(std::int64_t value) {
  return std::to_string(value);
}
std::string show(bool value) {
  return value ? "true" : "false";
}
std::string show(const Secret& value) {
  return value.empty() ? "(not set)" : "(set)";
}
std::string show(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string default_data_dir(const std::map<std::string, std::string, std::less<>>& environment) {
  // The XDG base directory rules: a relative path there is invalid and is passed over.
  if (const auto xdg = environment.find("XDG_DATA_HOME");
      xdg != environment.end() && xdg->second.starts_with('/'))
    return xdg->second + "/quell";
  if (const auto home = environment.find("HOME");
      home != environment.end() && home->second.starts_with('/'))
    return home->second + "/.local/share/quell";
  return "/var/lib/quell";
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

std::span<const SettingInfo> setting_infos() {
  return infos;
}

const SettingInfo* find_setting(std::string_view name) {
  for (const SettingInfo& row : infos)
    if (row.name == name) return &row;
  return nullptr;
}

std::string_view to_string(SettingType type) {
  constexpr std::array names{"text", "choice", "number", "flag", "list", "secret"};
  return names.at(static_cast<std::size_t>(type));
}

Result<SettingFile> read_setting_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf()).good()) {
    // An empty file makes operator<< fail although nothing is wrong with it.
    if (!stream.is_open() || stream.bad())
      return Error{ErrorCode::usage, "the file " + path + " cannot be read"};
  }
  return SettingFile{path, text.str()};
}

std::map<std::string, std::string, std::less<>> process_environment() {
  std::map<std::string, std::string, std::less<>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return variables;
}

Settings::Settings() {
  for (const SettingInfo& row : infos) {
    std::vector<std::string> items{std::string(row.fallback)};
    if (row.type == SettingType::list && row.fallback.empty()) items.clear();
    const auto fault = apply(values, row, items);
    QUELL_ASSERT(!fault);
    origins_.emplace(row.name, SettingOrigin{});
  }
}

Result<Settings> Settings::load(const SettingSources& sources) {
  RawSettings raw = read_layers(sources);
  Settings settings;
  for (const auto& [name, setting] : raw.found) {
    const SettingInfo* row = find_setting(name);
    if (const auto fault = apply(settings.values, *row, setting.items))
      raw.faults.push_back(setting.origin.where + ": " + name + ": " + *fault);
    settings.origins_[name] = setting.origin;
  }
  if (settings.values.data_dir.empty())
    settings.values.data_dir = default_data_dir(sources.environment);
  if (settings.values.store.empty())
    settings.values.store = "sqlite:" + settings.values.data_dir + "/quell.db";
  for (std::string& fault : faults(settings.values)) raw.faults.push_back(std::move(fault));
  if (!raw.faults.empty()) return Error{ErrorCode::usage, joined(raw.faults)};
  return settings;
}

const SettingOrigin& Settings::origin(std::string_view name) const {
  const auto found = origins_.find(name);
  QUELL_ASSERT(found != origins_.end());
  return found->second;
}

void Settings::set_origin(std::string_view name, SettingOrigin origin) {
  const auto found = origins_.find(name);
  QUELL_ASSERT(found != origins_.end());
  found->second = std::move(origin);
}

std::string Settings::shown(std::string_view name) const {
#define SETTING(member, type, fallback, min, max, sentence) \
  if (name == #member) return show(values.member);
#include "runtime/spec/settings.def"
#undef SETTING
  QUELL_ASSERT(!"no setting of this name");
  return {};
}

}  // namespace quell
