// Which row of routes.def a request means.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/token.hpp"

namespace quell {
struct SettingValues;
}

namespace quell::http {

class RequestContext;
using RequestPtr = std::shared_ptr<RequestContext>;

enum class BodySize : std::uint8_t { none, tiny, small, bulk };

// What a caller must show: a token with a scope, or nothing at all.
struct Need {
  bool is_open = false;
  Scope scope = Scope::system_write;
  std::string_view name() const { return is_open ? "open" : to_string(scope); }
};

struct Route {
  std::string_view name, method, path;
  Need need;
  BodySize body;
  std::string_view sentence;
  void (*handler)(RequestPtr);
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;     // null: no such path, or not with this method
  std::string allow;                // methods of the path, "" when there is no such path
  std::vector<std::string> params;  // in the order of the pattern, percent-decoded
};

Match match_route(std::string_view method, std::string_view path);
// What is read of somebody who has not said who they are.
inline constexpr std::size_t stranger_bytes = 1024;

std::size_t body_limit(BodySize size, const SettingValues& settings);

}  // namespace quell::http
