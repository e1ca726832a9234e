// A held call that is sent again under its Idempotency-Key is the same call: its alert stands under
// the key, and is what the repeat is told.
#pragma once

#include <optional>
#include <string>

#include "actors/safeguards/alert.hpp"

namespace quell {

storage::DocOp held_key_doc(const std::string& key, Uuid alert, Instant now);

struct HeldUnderKey {
  std::optional<Uuid> alert = {};     // drawn for it
  std::optional<Error> refusal = {};  // of an alert that is there
};
Result<HeldUnderKey> held_under(storage::Reader& reader, const std::string& key);

// Its detail begins with the alert's id.
Error refusal_of_held(const Alert& alert);

}  // namespace quell
