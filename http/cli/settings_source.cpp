#include "http/cli/settings_source.hpp"

#include <sys/stat.h>

#include <iostream>

#include "actors/node/data_dir.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"

namespace quell::cli {

namespace {

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// The files that hold, least important first.
Result<std::vector<SettingFile>> setting_files(const Arguments& args,
                                               const SettingSources& sources) {
  const auto variable = [&sources](std::string_view name) {
    const auto found = sources.environment.find(name);
    return found == sources.environment.end() ? std::string{} : found->second;
  };
  std::vector<std::string> paths;
  const std::string named = args.get("config", variable("QUELL_CONFIG"));
  if (!named.empty()) {
    paths.push_back(named);  // named, so it must be there
  } else {
    std::string home = variable("XDG_CONFIG_HOME");
    if (home.empty() && !variable("HOME").empty()) home = variable("HOME") + "/.config";
    for (const std::string& path :
         {std::string{"/etc/quell/config.toml"}, home + "/quell/config.toml"})
      if (is_file(path)) paths.push_back(path);
  }
  std::vector<SettingFile> files;
  for (const std::string& path : paths) {
    Result<SettingFile> file = read_setting_file(path);
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  return files;
}

void tell_warnings(const Settings& settings) {
  for (const std::string& warning : settings.warnings) std::cerr << "quell: " << warning << '\n';
}

}  // namespace

Result<Settings> load_settings(const Arguments& args) {
  SettingSources sources;
  sources.environment = process_environment();
  Result<std::vector<SettingFile>> files = setting_files(args, sources);
  if (!files) return files.error();
  sources.files = std::move(*files);
  for (const auto& [name, values] : args.options) {
    const SettingInfo* row = find_setting(name);
    if (row == nullptr) continue;
    if (row->type == SettingType::flag && values.empty()) sources.flags.emplace_back(name, "true");
    for (const std::string& value : values) sources.flags.emplace_back(name, value);
  }
  return Settings::load(sources);
}

bool is_served(const std::string& data_dir) {
  const Result<DataDir> opened = DataDir::open(data_dir);
  return !opened && opened.error().code == ErrorCode::store_locked;
}

int config_show(const Arguments& args) {
  const Result<Settings> settings = load_settings(args);
  if (!settings) return fail_with(settings.error().code, settings.error().detail);
  tell_warnings(*settings);
  for (const SettingInfo& row : setting_infos()) {
    std::cout << row.name << " = " << settings.value().shown(row.name);
    if (args.has("origin")) std::cout << "    # " << settings.value().origin(row.name).where;
    std::cout << '\n';
  }
  return 0;
}

int config_check(const Arguments& args) {
  const Result<Settings> settings = load_settings(args);
  if (!settings) return fail_with(settings.error().code, settings.error().detail);
  tell_warnings(*settings);
  std::cout << "The settings are fine.\n";
  return 0;
}

}  // namespace quell::cli
