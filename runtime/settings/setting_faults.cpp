#include <algorithm>
#include <charconv>
#include <optional>

#include "runtime/base/name.hpp"
#include "runtime/outbound/address_filter.hpp"
#include "runtime/policy/anomaly.hpp"
#include "runtime/policy/lease_ladder.hpp"
#include "runtime/policy/retention_policy.hpp"
#include "runtime/settings/setting_texts.hpp"

namespace quell {

namespace {

constexpr std::uint32_t slots_max = 10'000'000;

Error fault(std::string detail) {
  return Error{ErrorCode::usage, std::move(detail)};
}

std::optional<std::uint32_t> whole(std::string_view text, std::uint32_t max) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max)
    return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = text.find(separator); at != std::string_view::npos;
       at = text.find(separator)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

void check_pools(const SettingValues& values, std::vector<std::string>& found) {
  for (const QueueSpec& queue : values.queues)
    if (!values.pools.contains(queue.pool))
      found.push_back("queue: '" + queue.name + "' names the pool '" + queue.pool +
                      "', which is not there");
}

void check_texts(const SettingValues& values, std::vector<std::string>& found) {
  const auto starts = [](const std::string& text, std::initializer_list<std::string_view> schemes) {
    return std::ranges::any_of(schemes,
                               [&](std::string_view scheme) { return text.starts_with(scheme); });
  };
  if (!values.store.empty() &&
      !starts(values.store, {"sqlite:", "postgres://", "postgresql://", "memory:"}))
    found.push_back("store: '" + without_password(values.store) +
                    "' is none of sqlite:PATH, postgres://…, memory:");
  if (const auto listen = parse_listen(values.listen); !listen)
    found.push_back("listen: " + listen.error().detail);
  for (const std::string& text : values.outbound_allow)
    if (!Cidr::parse(text))
      found.push_back("outbound_allow: '" + text +
                      "' is not an address range like 10.0.0.0/8 or fd00::/8");
  for (const std::string& text : values.retention_queue)
    if (const auto rule = parse_queue_rule(text); !rule)
      found.push_back("retention_queue: " + rule.error().detail);
  if (const auto hours = WorkingHours::make(values.sentinel_hours, values.sentinel_zone); !hours)
    found.push_back("sentinel_hours: " + hours.error().detail);
  if (!values.public_url.empty() && !starts(values.public_url, {"http://", "https://"}))
    found.push_back("public_url: '" + without_password(values.public_url) +
                    "' is neither http://… nor https://…");
  if (values.tls_cert_file.empty() != values.tls_key_file.empty())
    found.push_back("tls_cert_file and tls_key_file are given together or not at all");
}

void check_times(const SettingValues& values, std::vector<std::string>& found) {
  // A node stops starting at self_stop_s, its runs are down stop_deadline_ms later, it exits a
  // second after that. Only then may another node's clock call it dead; else one job could run
  // twice.
  LeaseTimes times;
  times.self_stop = values.self_stop;
  times.stop_deadline = values.stop_deadline;
  const Millis down = down_after(times);
  if (values.lease <= down)
    found.push_back("lease_s (" + shown_value(values, "lease_s") +
                    " s) must be longer than self_stop_s + stop_deadline_ms + 1 s (" +
                    std::to_string(down.count()) +
                    " ms): a node must be down before others call it dead");
  if (values.beat * 2 > values.self_stop)
    found.push_back(
        "beat_s must be at most half of self_stop_s: one lost renewal is no reason to stop");
  if (values.backoff_first > values.backoff_max)
    found.push_back("backoff_first_ms must not be longer than backoff_max_s");
  if (values.bulk_body_max < values.body_max)
    found.push_back("bulk_body_max_bytes must not be smaller than body_max_bytes");
}

}  // namespace

Result<PoolSpec> parse_pool(std::string_view text) {
  const auto parts = split(text, '=');
  const auto slots = parts.size() == 2 ? whole(parts[1], slots_max) : std::nullopt;
  if (!slots || !is_name(parts[0]))
    return fault("'" + std::string(text) + "' is not NAME=SLOTS with 0 to " +
                 std::to_string(slots_max) + " slots");
  return PoolSpec{std::string(parts[0]), *slots};
}

Result<QueueSpec> parse_queue(std::string_view text) {
  const auto parts = split(text, ':');
  QueueSpec spec;
  bool good = parts.size() <= 3 && is_name(parts[0]);
  spec.name = parts[0];
  if (good && parts.size() >= 2) {
    good = is_name(parts[1]);
    spec.pool = parts[1];
  }
  if (good && parts.size() == 3) {
    const auto weight = whole(parts[2], queue_weight_max);
    good = weight && *weight >= 1;
    spec.weight = weight.value_or(1);
  }
  if (!good)
    return fault("'" + std::string(text) +
                 "' is not NAME[:POOL[:WEIGHT]] with a weight from 1 to " +
                 std::to_string(queue_weight_max));
  return spec;
}

Result<HostPort> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  HostPort address;
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto port = whole(text.substr(colon + 1), 65535);
    // Without brackets nobody can tell the port from the last group of an IPv6 address.
    const bool plain = host.find_first_of(":[]") == std::string_view::npos;
    if (port && !host.empty() && (bracketed ? IpAddress::parse(host).has_value() : plain)) {
      address.host = host;
      address.port = static_cast<std::uint16_t>(*port);
      return address;
    }
  }
  return fault("'" + std::string(text) + "' is not HOST:PORT, like 127.0.0.1:8080 or [::1]:8080");
}

std::string without_password(std::string_view url) {
  std::string shown(url);
  const std::size_t scheme = shown.find("://");
  if (scheme == std::string::npos) return shown;
  const std::size_t begin = scheme + 3;
  // The last '@' of all: a password may hold an unescaped '@' or '/', and hiding too much is the
  // harmless mistake.
  if (const std::size_t at = shown.rfind('@'); at != std::string::npos && at > begin)
    if (const std::size_t colon = shown.find(':', begin); colon < at)
      shown.replace(colon + 1, at - colon - 1, "***");
  for (const std::string_view key : {"?password=", "&password=", "?sslpassword=", "&sslpassword="})
    if (const std::size_t found = shown.find(key); found != std::string::npos) {
      const std::size_t value = found + key.size();
      shown.replace(value, std::min(shown.find('&', value), shown.size()) - value, "***");
    }
  return shown;
}

std::vector<std::string> faults(const SettingValues& values) {
  std::vector<std::string> found;
  check_pools(values, found);
  check_texts(values, found);
  check_times(values, found);
  return found;
}

}  // namespace quell
