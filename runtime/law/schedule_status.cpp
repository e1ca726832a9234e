#include "runtime/law/schedule_status.hpp"

#include <array>
#include <cstddef>

namespace quell {

namespace {

enum class SetBy : std::uint8_t { client, deletion };

struct StatusRow {
  std::string_view wire;
  SetBy by;
};

constexpr std::array statuses{
#define SCHEDULE_STATUS(name, wire, by, meaning) StatusRow{wire, SetBy::by},
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_STATUS
};
constexpr std::array<std::string_view, 4> overlaps{
#define SCHEDULE_OVERLAP(name, meaning) #name,
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_OVERLAP
};
constexpr std::array<std::string_view, 3> misfires{
#define SCHEDULE_MISFIRE(name, meaning) #name,
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_MISFIRE
};
// `delete` is no name in C++.
constexpr std::array<std::string_view, 3> jobs_words{"delete", "keep", "cancel"};

template <class Value, std::size_t N>
std::optional<Value> find(const std::array<std::string_view, N>& words, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i)
    if (words[i] == text) return static_cast<Value>(i);
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ScheduleStatus status) {
  return statuses.at(static_cast<std::size_t>(status)).wire;
}
std::string_view to_string(Overlap overlap) {
  return overlaps.at(static_cast<std::size_t>(overlap));
}
std::string_view to_string(Misfire misfire) {
  return misfires.at(static_cast<std::size_t>(misfire));
}
std::string_view to_string(JobsOfTask jobs) {
  return jobs_words.at(static_cast<std::size_t>(jobs));
}

std::optional<ScheduleStatus> parse_schedule_status(std::string_view text) {
  for (std::size_t i = 0; i < statuses.size(); ++i)
    if (statuses[i].wire == text) return static_cast<ScheduleStatus>(i);
  return std::nullopt;
}
std::optional<Overlap> parse_overlap(std::string_view text) {
  return find<Overlap>(overlaps, text);
}
std::optional<Misfire> parse_misfire(std::string_view text) {
  return find<Misfire>(misfires, text);
}
std::optional<JobsOfTask> parse_jobs_of_task(std::string_view text) {
  return find<JobsOfTask>(jobs_words, text);
}

bool is_for_clients(ScheduleStatus status) {
  return statuses.at(static_cast<std::size_t>(status)).by == SetBy::client;
}

}  // namespace quell
