// One place that says how quell is set up: each setting is a row of spec/settings.def, which is
// also the member of SettingValues that it sets, may come from a file, the environment or a flag,
// and remembers which of them it came from.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/policy/queue_policy.hpp"
#include "runtime/settings/setting_types.hpp"

namespace quell {

enum class SettingType : std::uint8_t {
  text,
  choice,
  flag,
  list,
  pool_list,
  queue_list,
  secret,
  count,
  bytes,
  milliseconds,
  seconds,
  hours,
  days
};

std::string_view to_string(SettingType type);  // as the reference page says it
inline bool is_number(SettingType type) {
  return type >= SettingType::count;
}
inline bool is_list(SettingType type) {
  return type >= SettingType::list && type <= SettingType::queue_list;
}

struct SettingInfo {
  std::string_view name;
  SettingType type;
  std::string_view fallback;  // as text
  std::int64_t min;
  std::int64_t max;
  std::string_view options;  // of a choice, separated by spaces
  std::string_view sentence;
};

std::span<const SettingInfo> setting_infos();
const SettingInfo* find_setting(std::string_view name);

// Each row's member. Made anew they hold the table's defaults; nothing else has any.
struct SettingValues {
#define SETTING(name, member, type, fallback, min, max, sentence) \
  setting_type::type::Value member{};
#include "runtime/spec/settings.def"
#undef SETTING
  SettingValues();
};

enum class SettingLayer : std::uint8_t { fallback, file, environment, flag };

struct SettingOrigin {
  SettingLayer layer = SettingLayer::fallback;
  std::string where = "default";  // "/etc/quell/config.toml:12", "QUELL_STORE", "--store"
};

struct SettingFile {
  std::string path;
  std::string text;
};

// Each layer wins over the ones before it; a list is replaced as a whole.
struct SettingSources {
  std::vector<SettingFile> files;  // TOML; later ones win
  std::map<std::string, std::string, std::less<>>
      environment;  // all of it: HOME and XDG_DATA_HOME are read too
  std::vector<std::pair<std::string, std::string>> flags;  // without dashes; repeated for a list
};

Result<SettingFile> read_setting_file(const std::string& path);
std::map<std::string, std::string, std::less<>> process_environment();

class Settings {
 public:
  // What holds when nobody says anything; for tests and embedders. Data directory and store are
  // left empty.
  Settings();

  // All faults at once, one sentence each, separated by line feeds.
  static Result<Settings> load(const SettingSources& sources);

  SettingValues values;
  // What a person should know although it is no fault: one sentence each.
  std::vector<std::string> warnings;

  const SettingOrigin& origin(std::string_view name) const;
  void set_origin(std::string_view name, SettingOrigin origin);

  // The value as people see it: a secret is "(set)" or "(not set)", a password in a URL is "***".
  std::string shown(std::string_view name) const;

 private:
  std::map<std::string, SettingOrigin, std::less<>> origins_;
};

struct PoolSpec {
  std::string name;
  std::uint32_t slots = 0;
  bool operator==(const PoolSpec&) const = default;
};

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

Result<PoolSpec> parse_pool(std::string_view text);    // NAME=SLOTS
Result<QueueSpec> parse_queue(std::string_view text);  // NAME[:POOL[:WEIGHT]]
Result<HostPort> parse_listen(std::string_view text);  // HOST:PORT

// Where jobs rest when nobody says: beside the keys, or nowhere.
std::string store_address(const SettingValues& values);

// What a range cannot say: texts that cannot be understood and values that contradict each other,
// one sentence each.
std::vector<std::string> faults(const SettingValues& values);

// A URL with its password replaced by ***, for every place that shows one.
std::string without_password(std::string_view url);

}  // namespace quell
