#include "storage/postgres/connection/address.hpp"

#include <charconv>
#include <string_view>

namespace quell::storage::postgres {

namespace {

Error refuse(std::string_view name, std::string_view value) {
  return Error{ErrorCode::usage, "the store's address has " + std::string(name) + "=" +
                                     std::string(value) + ", which is not understood"};
}

// What a lost network must not be allowed to hide for longer than a lease. Whatever the address
// says itself wins.
constexpr std::string_view defaults[][2] = {
    {"connect_timeout", "5"},      {"keepalives_idle", "10"},
    {"keepalives_interval", "3"},  {"keepalives_count", "3"},
    {"tcp_user_timeout", "12000"}, {"fallback_application_name", "quell"},
    {"client_encoding", "UTF8"},   {"target_session_attrs", "primary"},
};

int* milliseconds(Address& address, std::string_view name) {
  if (name == "statement_timeout") return &address.statement_timeout;
  if (name == "lock_timeout") return &address.lock_timeout;
  if (name == "idle_in_transaction_timeout") return &address.idle_in_transaction_timeout;
  return nullptr;
}

}  // namespace

Result<Address> parse_address(const std::string& url) {
  Address address;
  const std::size_t question = url.find('?');
  address.uri = url.substr(0, question);
  std::string_view rest = question == std::string::npos
                              ? std::string_view{}
                              : std::string_view(url).substr(question + 1);
  std::string kept;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    if (name == "notify") {
      if (value != "on" && value != "off") return refuse(name, value);
      address.notify = value == "on";
    } else if (name == "pooler") {
      if (value != "transaction" && value != "none") return refuse(name, value);
      address.keeps_session = value == "none";
    } else if (int* ms = milliseconds(address, name)) {
      const auto read = std::from_chars(value.data(), value.data() + value.size(), *ms);
      if (read.ec != std::errc{} || read.ptr != value.data() + value.size() || *ms < 0)
        return refuse(name, value);
    } else if (!pair.empty()) {
      kept += (kept.empty() ? "" : "&") + std::string(pair);
    }
  }
  // A pooler gives a listener's session to the next transaction.
  if (!address.keeps_session) address.notify = false;
  for (const auto& [name, value] : defaults)
    if (("&" + kept).find("&" + std::string(name) + "=") == std::string::npos)
      kept += (kept.empty() ? "" : "&") + std::string(name) + "=" + std::string(value);
  address.uri += "?" + kept;
  return address;
}

}  // namespace quell::storage::postgres
