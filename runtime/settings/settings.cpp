#include "runtime/settings/settings.hpp"

#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "runtime/base/assert.hpp"
#include "runtime/settings/setting_layers.hpp"
#include "runtime/settings/setting_texts.hpp"

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
#define SETTING(name, member, type, fallback, min, max, sentence) \
  SettingInfo{#name, SettingType::type, unquoted(#fallback), min, max, options_of(#name), sentence},
#include "runtime/spec/settings.def"
#undef SETTING
};

template <class Type>
concept IsNumber = requires(typename Type::Value value) {
  Type::number(value);
};

template <class Type, class Default>
constexpr bool is_in_range(Default value, std::int64_t min, std::int64_t max) {
  if constexpr (IsNumber<Type>)
    return min < max && min <= Type::number(value) && Type::number(value) <= max;
  else
    return min == 0 && max == 0;
}
#define SETTING(name, member, type, fallback, min, max, sentence)                   \
  static_assert(is_in_range<setting_type::type>(setting_default::member, min, max), \
                #name ": the default is outside of the range");
#include "runtime/spec/settings.def"
#undef SETTING

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
  switch (type) {
    case SettingType::text:
      return "text";
    case SettingType::choice:
      return "choice";
    case SettingType::flag:
      return "flag";
    case SettingType::list:
    case SettingType::pool_list:
    case SettingType::queue_list:
      return "list";
    case SettingType::secret:
      return "secret";
    case SettingType::count:
      return "number";
    case SettingType::bytes:
      return "bytes";
    case SettingType::milliseconds:
      return "milliseconds";
    case SettingType::seconds:
      return "seconds";
    case SettingType::hours:
      return "hours";
    case SettingType::days:
      return "days";
  }
  QUELL_ASSERT(!"a type outside the list");
  return {};
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

SettingValues::SettingValues() {
  for (const SettingInfo& row : infos) {
    const auto fault = set_value(*this, row, setting_items(row.type, row.fallback));
    QUELL_ASSERT(!fault);
  }
}

Settings::Settings() {
  for (const SettingInfo& row : infos) origins_.emplace(row.name, SettingOrigin{});
}

std::string store_address(const SettingValues& values) {
  if (!values.store.empty()) return values.store;
  return values.data_dir.empty() ? "memory:" : "sqlite:" + values.data_dir + "/quell.db";
}

Result<Settings> Settings::load(const SettingSources& sources) {
  RawSettings raw = read_layers(sources);
  Settings settings;
  for (const auto& [name, setting] : raw.found) {
    const SettingInfo* row = find_setting(name);
    if (const auto fault = set_value(settings.values, *row, setting.items))
      raw.faults.push_back(setting.origin.where + ": " + name + " " + *fault);
    settings.origins_[name] = setting.origin;
  }
  if (settings.values.data_dir.empty())
    settings.values.data_dir = default_data_dir(sources.environment);
  settings.values.store = store_address(settings.values);
  for (std::string& fault : faults(settings.values)) raw.faults.push_back(std::move(fault));
  if (!raw.faults.empty()) return Error{ErrorCode::usage, joined(raw.faults)};
  settings.warnings = std::move(raw.warnings);
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
  return shown_value(values, name);
}

}  // namespace quell
