// What watchers hear of a commit, in the order in which a batch is done; and how one node tells it
// to the others, as hints.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/batch.hpp"

namespace quell::storage {

struct News {
  std::string type;  // job.created, …; see told_to_watchers
  std::optional<JobId> job = {};
  std::string queue = {}, data = {};  // data: JSON or ""
  bool operator==(const News&) const = default;
};

std::vector<News> news_of(const Batch& batch, const Outcome& outcome);

inline constexpr std::string_view news_hint = "news:";
// Some that had to be left out: whoever follows has to look for himself.
inline constexpr std::string_view news_lost_hint = "news lost";

// As hints of at most `most` bytes each, in order; and back.
std::vector<std::string> hints_of_news(const std::vector<News>& news, std::size_t most);
std::vector<News> news_in(std::string_view hint);

}  // namespace quell::storage
