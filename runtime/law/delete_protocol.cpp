#include "runtime/law/delete_protocol.hpp"

#include <array>
#include <cstddef>

namespace quell {

namespace {

enum class Keep : std::uint8_t { durable, volatile_ };
// The table says `volatile`, which C++ keeps for itself.
#define QUELL_KEEP_durable Keep::durable
#define QUELL_KEEP_volatile Keep::volatile_

struct StepRow {
  std::string_view name;
  Keep keep;
  std::string_view sentence;
};

constexpr std::array step_rows{
#define DELETE_STEP(name, durable, by, sentence) StepRow{#name, QUELL_KEEP_##durable, sentence},
#include "runtime/spec/delete_protocol.def"
#undef DELETE_STEP
};

struct VerdictRow {
  std::string_view name;
  Proof proof;
  std::string_view sentence;
};

constexpr std::array verdict_rows{
#define DELETE_VERDICT(name, proof, sentence) VerdictRow{#name, Proof::proof, sentence},
#include "runtime/spec/delete_protocol.def"
#undef DELETE_VERDICT
};

constexpr int durable_steps() {
  int count = 0;
  for (const StepRow& row : step_rows) count += row.keep == Keep::durable ? 1 : 0;
  return count;
}

static_assert(durable_steps() == 2, "mark and erase are durable, nothing else");
static_assert(DeleteStep::release < DeleteStep::erase, "a slot comes back before the rows go");

}  // namespace

std::string_view to_string(DeleteStep step) {
  return step_rows.at(static_cast<std::size_t>(step)).name;
}
std::string_view sentence(DeleteStep step) {
  return step_rows.at(static_cast<std::size_t>(step)).sentence;
}
bool is_durable(DeleteStep step) {
  return step_rows.at(static_cast<std::size_t>(step)).keep == Keep::durable;
}
std::string_view to_string(Verdict verdict) {
  return verdict_rows.at(static_cast<std::size_t>(verdict)).name;
}
std::string_view sentence(Verdict verdict) {
  return verdict_rows.at(static_cast<std::size_t>(verdict)).sentence;
}
Proof proof_of(Verdict verdict) {
  return verdict_rows.at(static_cast<std::size_t>(verdict)).proof;
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  for (std::size_t i = 0; i < verdict_rows.size(); ++i)
    if (verdict_rows[i].name == text) return static_cast<Verdict>(i);
  return std::nullopt;
}

bool add_up(const DeleteCounts& c) {
  return c.distinct == c.deleted + c.already_gone + c.pending + c.failed &&
         c.deleted == c.killed + c.dequeued + c.finished_first + c.at_rest + c.unproven;
}

}  // namespace quell
