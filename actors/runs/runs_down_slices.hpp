// What the Foreman has to tell, in messages of which each fits one commit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "actors/messages.hpp"

namespace quell {

// Finishes and permits go in one message, so that the next claim is served by the same commit; more
// than one slice at a time would make a transaction that others wait for. In order: the first
// verdict of a run is the one that counts.
inline std::vector<WriteEnds> slices_of(WriteEnds all, std::size_t slice_max) {
  const auto move_slice = [slice_max](auto& from, std::size_t at, auto& to) {
    if (at >= from.size()) return;
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(slice_max, from.size() - at);
    to.assign(std::make_move_iterator(first),
              std::make_move_iterator(first + static_cast<std::ptrdiff_t>(count)));
  };
  std::vector<WriteEnds> slices;
  for (std::size_t at = 0; at == 0 || at < all.finishes.size() || at < all.verdicts.size();
       at += slice_max) {
    WriteEnds& down = slices.emplace_back();
    down.permits.swap(all.permits);
    move_slice(all.finishes, at, down.finishes);
    move_slice(all.verdicts, at, down.verdicts);
  }
  return slices;
}

}  // namespace quell
