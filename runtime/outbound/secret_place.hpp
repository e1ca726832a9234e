// Where a secret may be sent: `api.example.com` is HTTPS at its own port and nothing else. Another
// port is said (`api.example.com:8443`, `:*` for any), and so is that everybody on the way may read
// it (`http://10.0.0.7:9000`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace quell {

class SecretPlace {
 public:
  static Result<SecretPlace> parse(std::string_view text);
  // `host` as a URL names it, without brackets.
  bool covers(std::string_view host, std::uint16_t port, bool tls) const;

 private:
  std::string host_;  // `*.example.com`: every name below example.com, not example.com itself
  bool is_plain_ = false;
  std::optional<std::uint16_t> port_;  // nothing: any
};

}  // namespace quell
