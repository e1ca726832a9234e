#include "runtime/settings/setting_layers.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "runtime/base/nearest_name.hpp"
#include "runtime/settings/setting_texts.hpp"

namespace quell {

namespace {

constexpr std::string_view file_suffix = "_file";

constexpr std::array foreign_environment{
#define SETTING_FOREIGN(name, sentence) std::string_view{#name},
#include "runtime/spec/settings.def"
#undef SETTING_FOREIGN
};

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const SettingInfo& row : setting_infos()) all.push_back(row.name);
  return all;
}

// Kubernetes sets QUELL_PORT, QUELL_SERVICE_HOST and so on beside every service called quell: not
// meant for us.
bool set_by_kubernetes(std::string_view name) {
  return name.starts_with("QUELL_SERVICE_") || name == "QUELL_PORT" ||
         name.starts_with("QUELL_PORT_");
}

class Reader {
 public:
  RawSettings take() { return std::move(raw_); }

  void file(const SettingFile& file) {
    try {
      table(toml::parse(file.text, file.path), "", file.path);
    } catch (const toml::parse_error& error) {  // Debian's build of the library only throws
      fault({SettingLayer::file, file.path + ":" + std::to_string(error.source().begin.line)},
            std::string(error.description()));
    }
  }

  void environment(const std::map<std::string, std::string, std::less<>>& variables) {
    for (const auto& [variable, value] : variables) {
      if (!variable.starts_with("QUELL_") || value.empty() || set_by_kubernetes(variable)) continue;
      if (std::ranges::find(foreign_environment, variable) != foreign_environment.end()) continue;
      std::string name = variable.substr(6);
      std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      text_value(name, value, {SettingLayer::environment, variable}, false);
    }
  }

  void flags(const std::vector<std::pair<std::string, std::string>>& given) {
    std::vector<std::string> seen;
    for (const auto& [flag, value] : given) {
      std::string name = flag;
      std::ranges::replace(name, '-', '_');
      std::string shown = name;
      std::ranges::replace(shown, '_', '-');
      const SettingOrigin origin{SettingLayer::flag, "--" + shown};
      if (const SettingInfo* row = find_setting(name);
          row != nullptr && row->type == SettingType::secret) {
        fault(origin,
              "a secret on the command line can be read by others; use --" + shown + "-file");
        continue;
      }
      const bool again = std::ranges::find(seen, name) != seen.end();
      seen.push_back(name);
      text_value(name, value, origin, again);
    }
  }

 private:
  void table(const toml::table& entries, const std::string& prefix, const std::string& path) {
    for (const auto& [key, node] : entries) {
      const std::string name = prefix + std::string(key.str());
      const SettingOrigin origin{SettingLayer::file,
                                 path + ":" + std::to_string(node.source().begin.line)};
      const SettingInfo* row = find_setting(name);
      const bool takes_items = row != nullptr && is_list(row->type);
      if (const toml::table* inner = node.as_table(); inner != nullptr && !takes_items) {
        table(*inner, name + "_", path);  // [retention] failed_days is retention_failed_days
      } else if (takes_items && !node.is_string()) {
        put(name, list_items(node), origin);
      } else if (const auto text = plain(node)) {
        text_value(name, *text, origin, false);
      } else {
        if (known(name, origin)) fault(origin, name + " takes one plain value");
      }
    }
  }

  // pool = ["a=1", "b=2"], or the table [pool] a = 1, b = 2.
  static std::vector<std::string> list_items(const toml::node& node) {
    std::vector<std::string> items;
    if (const toml::array* array = node.as_array())
      for (const toml::node& item : *array) items.push_back(plain(item).value_or("(not a text)"));
    else if (const toml::table* entries = node.as_table())
      for (const auto& [key, item] : *entries)
        items.push_back(std::string(key.str()) + "=" + plain(item).value_or("(not a text)"));
    else
      items.push_back(plain(node).value_or("(not a text)"));
    return items;
  }

  static std::optional<std::string> plain(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    if (const auto* number = node.as_floating_point()) return std::to_string(number->get());
    return std::nullopt;
  }

  void text_value(const std::string& name, const std::string& value, const SettingOrigin& origin,
                  bool append) {
    const SettingInfo* row = find_setting(name);
    if (row == nullptr && name.ends_with(file_suffix)) {
      const std::string plain_name = name.substr(0, name.size() - file_suffix.size());
      const SettingInfo* secret = find_setting(plain_name);
      if (secret != nullptr && secret->type == SettingType::secret)
        return secret_file(plain_name, value, origin);
    }
    if (!known(name, origin)) return;
    SettingItems items = setting_items(row->type, value);
    if (append && is_list(row->type)) {
      std::vector<std::string>& before = raw_.found[name].items;
      items.insert(items.begin(), before.begin(), before.end());
    } else if (append) {
      fault(origin, "given twice");
    }
    put(name, std::move(items), origin);
  }

  void secret_file(const std::string& name, const std::string& path, SettingOrigin origin) {
    Result<SettingFile> file = read_setting_file(path);
    if (!file) return fault(origin, file.error().detail);
    std::string text = std::move(file->text);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.empty()) return fault(origin, "the file " + path + " is empty");
    origin.where += " " + path;
    put(name, {std::move(text)}, origin);
  }

  void put(const std::string& name, std::vector<std::string> items, const SettingOrigin& origin) {
    RawSetting& slot = raw_.found[name];
    const SettingInfo* row = find_setting(name);
    // Within one layer a secret and its file contradict each other: which one holds must not be a
    // matter of order.
    if (row->type == SettingType::secret && !slot.items.empty() &&
        slot.origin.layer == origin.layer && origin.layer == SettingLayer::environment)
      fault(origin, "given both as a text and as a file");
    slot = {std::move(items), origin};
  }

  bool known(const std::string& name, const SettingOrigin& origin) {
    if (find_setting(name) != nullptr) return true;
    const std::string what = "unknown setting '" + name + "'" + did_you_mean(name, names());
    // The environment may be shared with a newer or older program, or hold what somebody exported
    // for another: no reason not to start. A file and a flag are written for this one.
    if (origin.layer == SettingLayer::environment)
      raw_.warnings.push_back(origin.where + ": " + what + "; it is passed over");
    else
      fault(origin, what);
    return false;
  }

  void fault(const SettingOrigin& origin, const std::string& what) {
    raw_.faults.push_back(origin.where + ": " + what);
  }

  RawSettings raw_;
};

}  // namespace

RawSettings read_layers(const SettingSources& sources) {
  Reader reader;
  for (const SettingFile& file : sources.files) reader.file(file);
  reader.environment(sources.environment);
  reader.flags(sources.flags);
  return reader.take();
}

}  // namespace quell
