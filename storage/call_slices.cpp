#include "storage/call_slices.hpp"

namespace quell::storage {

namespace {

constexpr std::string_view end = R"("})";

}  // namespace

std::string unmarked_after(const MarkOp& op) {
  if (op.slices == 1) return {};
  std::string note(unmarked_prefix);
  for (int slice = 0; slice < op.slices; ++slice)
    if (slice != op.slice) note += std::to_string(slice) + '|';
  note += end;
  return note;
}

std::string marked_slice(const MarkOp& op) {
  return '|' + std::to_string(op.slice) + '|';
}

void read_note(CallView& call) {
  if (!call.counts.starts_with(unmarked_prefix)) return;
  call.is_marked = call.counts.size() == unmarked_prefix.size() + end.size();
  call.counts.clear();
}

}  // namespace quell::storage
