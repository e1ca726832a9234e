#include "actors/safeguards/held_keys.hpp"

namespace quell {

namespace {

constexpr const char* held_key_kind = "held_key";
constexpr Millis held_key_keep{std::chrono::hours{24}};

}  // namespace

storage::DocOp held_key_doc(const std::string& key, Uuid alert, Instant now) {
  return {.kind = held_key_kind,
          .id = key,
          .body = "\"" + alert.text() + "\"",
          .if_version = 0,
          .until = now + held_key_keep};
}

Result<HeldUnderKey> held_under(storage::Reader& reader, const std::string& key) {
  HeldUnderKey found;
  if (key.empty()) return found;
  const auto doc = reader.doc(held_key_kind, key);
  if (!doc) return doc.error();
  if (!*doc || (*doc)->body.size() < 2) return found;
  found.alert = Uuid::parse(std::string_view((*doc)->body).substr(1, (*doc)->body.size() - 2));
  if (!found.alert) return found;
  // None: whoever drew it died before it was there.
  const auto stored = reader.doc(alert_kind, found.alert->text());
  if (!stored) return stored.error();
  const auto alert = *stored ? alert_of(**stored) : std::nullopt;
  if (alert) found.refusal = refusal_of_held(*alert);
  return found;
}

Error refusal_of_held(const Alert& alert) {
  std::string text = alert.id.text() + ": " + sentence_of(alert.spike) + ".";
  if (alert.state == AlertState::acked) text += " It was refused by " + alert.by + ".";
  if (alert.state == AlertState::approved) text += " It was approved by " + alert.by + ".";
  return Error{ErrorCode::deletion_hold, std::move(text)};
}

}  // namespace quell
