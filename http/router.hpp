// Which row of routes.def a request means.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/token.hpp"

namespace quell::http {

class Call;
using CallPtr = std::shared_ptr<Call>;

enum class BodySize : std::uint8_t { none, small, bulk };

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
  void (*handler)(CallPtr);
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;     // null: no such path, or not with this method
  std::string allow;                // methods of the path, "" when there is no such path
  std::vector<std::string> params;  // in the order of the pattern, percent-decoded
};

Match match_route(std::string_view method, std::string_view path);
std::size_t body_limit(BodySize size);

}  // namespace quell::http
