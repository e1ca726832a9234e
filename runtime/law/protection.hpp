// What nobody deletes, whoever asks: the jobs of some queues, and those with some tags. By the
// settings, so that it holds for jobs of before too; whoever lifts it starts the server without.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace quell {

struct Protection {
  std::vector<std::string> queues, tags;

  bool covers_queue(std::string_view queue) const {
    return std::find(queues.begin(), queues.end(), queue) != queues.end();
  }
  // The first of them that is protected; null: none.
  const std::string* covered_tag(const std::vector<std::string>& some) const {
    const auto at = std::find_first_of(some.begin(), some.end(), tags.begin(), tags.end());
    return at == some.end() ? nullptr : &*at;
  }
  bool covers(std::string_view queue, const std::vector<std::string>& some) const {
    return covers_queue(queue) || covered_tag(some) != nullptr;
  }
};

using ProtectionPtr = std::shared_ptr<const Protection>;  // null: nothing is protected

// Why the job stays; "" when it may go.
inline std::string protection_of(const ProtectionPtr& protection, const std::string& queue,
                                 const std::vector<std::string>& tags) {
  if (!protection) return {};
  if (protection->covers_queue(queue)) return "its queue '" + queue + "' is protected";
  const std::string* tag = protection->covered_tag(tags);
  return tag ? "its tag '" + *tag + "' is protected" : "";
}

}  // namespace quell
