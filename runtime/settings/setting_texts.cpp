#include "runtime/settings/setting_texts.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "runtime/base/assert.hpp"

namespace quell {

namespace {

using Complaint = std::optional<std::string>;

std::string takes_number(const SettingInfo& row) {
  const std::string_view unit = to_string(row.type);
  return (row.type == SettingType::count ? "takes a whole number"
                                         : "takes a number of " + std::string(unit)) +
         " from " + std::to_string(row.min) + " to " + std::to_string(row.max);
}

template <class Type>
Complaint assign(Type, typename Type::Value& member, const SettingInfo& row,
                 const SettingItems& items) {
  const std::string& text = items.front();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  if (!whole || value < row.min || value > row.max)
    return takes_number(row) + ", not '" + text + "'";
  member = Type::of(value);
  return std::nullopt;
}

Complaint assign(setting_type::flag, bool& member, const SettingInfo&, const SettingItems& items) {
  const std::string& text = items.front();
  const bool yes = text == "true" || text == "1" || text == "yes" || text == "on";
  const bool no = text == "false" || text == "0" || text == "no" || text == "off";
  if (!yes && !no) return "takes true or false, not '" + text + "'";
  member = yes;
  return std::nullopt;
}

Complaint assign(setting_type::text, std::string& member, const SettingInfo&,
                 const SettingItems& items) {
  member = items.front();
  return std::nullopt;
}

Complaint assign(setting_type::choice, std::string& member, const SettingInfo& row,
                 const SettingItems& items) {
  const std::string& text = items.front();
  const std::string padded = " " + std::string(row.options) + " ";
  if (text.find(' ') != std::string::npos || padded.find(" " + text + " ") == std::string::npos)
    return "takes one of: " + std::string(row.options) + "; not '" + text + "'";
  member = text;
  return std::nullopt;
}

Complaint assign(setting_type::secret, Secret& member, const SettingInfo&,
                 const SettingItems& items) {
  member = Secret(items.front());
  return std::nullopt;
}

Complaint assign(setting_type::list, SettingItems& member, const SettingInfo&,
                 const SettingItems& items) {
  member = items;
  return std::nullopt;
}

Complaint assign(setting_type::pool_list, std::map<std::string, int>& member, const SettingInfo&,
                 const SettingItems& items) {
  std::map<std::string, int> pools;
  for (const std::string& text : items) {
    const Result<PoolSpec> pool = parse_pool(text);
    if (!pool) return pool.error().detail;
    if (!pools.emplace(pool->name, static_cast<int>(pool->slots)).second)
      return "'" + pool->name + "' is given twice";
  }
  member = std::move(pools);
  return std::nullopt;
}

Complaint assign(setting_type::queue_list, std::vector<QueueSpec>& member, const SettingInfo&,
                 const SettingItems& items) {
  std::vector<QueueSpec> queues;
  std::set<std::string> names;
  for (const std::string& text : items) {
    Result<QueueSpec> queue = parse_queue(text);
    if (!queue) return queue.error().detail;
    if (!names.insert(queue->name).second) return "'" + queue->name + "' is given twice";
    queues.push_back(std::move(*queue));
  }
  member = std::move(queues);
  return std::nullopt;
}

std::string comma_list(const SettingItems& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

template <class Type>
std::string show(Type, const typename Type::Value& value) {
  return std::to_string(Type::number(value));
}
std::string show(setting_type::flag, bool value) {
  return value ? "true" : "false";
}
std::string show(setting_type::text, const std::string& value) {
  return without_password(value);
}
std::string show(setting_type::choice, const std::string& value) {
  return value;
}
std::string show(setting_type::secret, const Secret& value) {
  return value.empty() ? "(not set)" : "(set)";
}
std::string show(setting_type::list, const SettingItems& items) {
  return comma_list(items);
}
std::string show(setting_type::pool_list, const std::map<std::string, int>& pools) {
  SettingItems items;
  for (const auto& [name, slots] : pools) items.push_back(name + "=" + std::to_string(slots));
  return comma_list(items);
}
std::string show(setting_type::queue_list, const std::vector<QueueSpec>& queues) {
  const QueueSpec plain;
  SettingItems items;
  for (const QueueSpec& queue : queues) {
    std::string text = queue.name;
    if (queue.pool != plain.pool || queue.weight != plain.weight) text += ":" + queue.pool;
    if (queue.weight != plain.weight) text += ":" + std::to_string(queue.weight);
    items.push_back(std::move(text));
  }
  return comma_list(items);
}

}  // namespace

SettingItems setting_items(SettingType type, std::string_view text) {
  if (!is_list(type)) return {std::string(text)};
  SettingItems items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::optional<std::string> set_value(SettingValues& values, const SettingInfo& row,
                                     const SettingItems& items) {
  QUELL_ASSERT(items.size() == 1 || is_list(row.type));
#define SETTING(its_name, member, type, fallback, min, max, sentence) \
  if (row.name == #its_name) return assign(setting_type::type{}, values.member, row, items);
#include "runtime/spec/settings.def"
#undef SETTING
  QUELL_ASSERT(!"a row without a member");
  return std::nullopt;
}

std::string shown_value(const SettingValues& values, std::string_view name) {
#define SETTING(its_name, member, type, fallback, min, max, sentence) \
  if (name == #its_name) return show(setting_type::type{}, values.member);
#include "runtime/spec/settings.def"
#undef SETTING
  QUELL_ASSERT(!"no setting of this name");
  return {};
}

}  // namespace quell
