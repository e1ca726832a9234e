// Who is asking. Tokens are 256 random bits, kept only as a hash, compared in constant time, and
// held in memory so that no request waits for the store to be let in.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/signing/token.hpp"
#include "storage/reader.hpp"

namespace quell::http {

// A token as it is stored (document kind `token`, id as in the token's text).
struct TokenRecord {
  std::string id, name;
  Digest hash{};
  std::string role;  // "" when the scopes were chosen one by one
  ScopeSet scopes;
  std::string project;  // "" = every project
  Instant created;
  std::optional<Instant> expires = {};
  std::optional<Instant> last_used = {};
  std::int64_t version = 0;  // of the stored document; 0: not read back yet
};

// No role in one project lets anybody run programs: they run beside those of all projects. Who is
// to, has the scope by its name.
ScopeSet scopes_of(Role role, const std::string& project);

std::string to_json(const TokenRecord& token);
std::optional<TokenRecord> token_from_json(const std::string& id, const std::string& text);

struct Principal {
  std::string token_id, name;
  ScopeSet scopes;
  std::string project;  // "" = every project
  bool is_session = false;

  // As it is written down. A name may be another token's too, also in another project; what tells
  // them apart is the id, and no name has a '#'.
  std::string who() const { return "token:" + name + "#" + token_id; }
};

struct NewToken {
  TokenRecord record;
  std::string text;  // shown once
};
NewToken make_token(std::string name, std::string role, ScopeSet scopes, std::string project,
                    Instant now);

class Auth {
 public:
  // `credentials` is what follows "Bearer ".
  std::optional<Principal> check(std::string_view credentials, Instant now);
  // Who a token stands for, without its text: for sessions, which end with their token.
  std::optional<Principal> holder(const std::string& token_id, Instant now);
  // What the store says now; ignored when a token was put or removed since `seen` was taken,
  // because then the reading may be older than that.
  void replace(const std::vector<storage::Doc>& docs, std::uint64_t seen);
  std::uint64_t changes() const;
  void put(const TokenRecord& token);
  void remove(const std::string& id);
  // Whether one of all projects can be let in now, as administrator, without the token `but`.
  bool has_admin(Instant now, const std::string& but = {}) const;
  bool is_valid(const std::string& token_id, Instant now) const;
  // From its check to its commit a revocation counts as done, so that two of them cannot each rely
  // on the other's token. False: nobody could let anybody in afterwards.
  bool begin_revoking(const std::string& token_id, Instant now);
  void give_up_revoking(const std::string& token_id);
  std::vector<TokenRecord> all() const;
  // Tokens whose stored `last_used` is older than a minute, brought up to date.
  std::vector<TokenRecord> take_uses();

 private:
  std::optional<Principal> admit(const TokenRecord& token, Instant now);  // under mutex_
  bool has_other_admin(Instant now, const std::string& but) const;        // under mutex_

  mutable std::mutex mutex_;
  std::map<std::string, TokenRecord, std::less<>> tokens_;
  std::map<std::string, Instant, std::less<>> uses_;
  std::set<std::string, std::less<>> leaving_;
  std::uint64_t changes_ = 0;
};

}  // namespace quell::http
