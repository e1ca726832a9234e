// What the demo's jobs are of: names, tags, sentences; and the kinds that play them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "http/cli/demo_world.hpp"

namespace quell::cli {

namespace {

using nlohmann::json;

constexpr std::array towns{"hamburg", "lyon", "porto", "ghent", "turin", "malmo", "cork", "brno"};
constexpr std::array languages{"en", "de", "fr", "pt", "it", "sv"};
constexpr std::array plans{"free", "team", "business"};
constexpr std::array sentences{
    "The customer was charged twice for the same month. ",
    "Both charges carry the same invoice number. ",
    "The second one was made by the retry of a lost reply. ",
    "Nothing was shipped in between. ",
    "A refund of one charge is due. ",
    "The customer asks to be told when it is done. ",
};

std::string pick(const auto& list, Dice& dice) {
  return std::string{list[static_cast<std::size_t>(dice.below(static_cast<int>(list.size())))]};
}

Millis span_of(const JobContext& job, const DemoKind& kind) {
  const int chance = job.id().bytes[15];
  return Millis{kind.seconds_min * 1000 +
                chance * (kind.seconds_max - kind.seconds_min) * 1000 / 255};
}

constexpr int ticks = 40;

// One tick of it as it shows: how far, and what is said meanwhile.
void show_tick(JobContext& job, const DemoKind& kind, int tick) {
  const bool is_llm = kind.name == "summarise-ticket";
  job.progress(static_cast<double>(tick) / ticks, is_llm                 ? "the model speaks"
                                                  : tick < ticks / 4     ? "reading"
                                                  : tick < ticks * 3 / 4 ? "working"
                                                                         : "writing");
  if (tick % 10 == 1)
    job.log(fmt::format("{}: part {} of {}", kind.name, tick / 10 + 1, ticks / 10));
  if (is_llm && tick % 6 == 5)
    job.partial(json(demo_sentence(static_cast<std::size_t>(tick / 6))).dump());
}

Task play(JobContext job, const DemoKind* kind) {
  const Millis pause = span_of(job, *kind) / ticks;
  const bool fails = job.id().bytes[14] * 100 / 256 < kind->fails;
  for (int tick = 1; tick < ticks; ++tick) {
    co_await job.sleep(pause);
    show_tick(job, *kind, tick);
    if (fails && tick > ticks / 2)
      throw JobError("upstream-timeout", "the other side said nothing for 30 s", false);
  }
  if (kind->name == "summarise-ticket")
    job.usage(R"({"model":"demo-small","input_tokens":1840,"output_tokens":96,"cost_usd":0.0021})");
  co_return std::string(R"({"done":true})");
}

}  // namespace

const DemoKind& Dice::kind() {
  int left = below(100);
  for (const DemoKind& kind : demo_kinds) {
    if (left < kind.share) return kind;
    left -= kind.share;
  }
  return demo_kinds.front();
}

Uuid Dice::id(Instant at) {
  Uuid id;
  const auto millis = static_cast<std::uint64_t>(at.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
  for (std::size_t i = 6; i < 16; ++i) id.bytes[i] = static_cast<std::uint8_t>(engine_() >> 32);
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

std::string demo_args(const DemoKind& kind, Dice& dice) {
  const int customer = dice.between(1001, 1420);
  if (kind.name == "render-report")
    return json{{"month", fmt::format("2026-{:02}", dice.between(1, 11))},
                {"customer", customer},
                {"format", "pdf"}}
        .dump();
  if (kind.queue == "imports")
    return json{{"file", fmt::format("{}-{}.csv", pick(towns, dice), dice.between(100, 999))},
                {"rows", dice.between(2, 90) * 1000},
                {"dry_run", false}}
        .dump();
  if (kind.queue == "mail")
    return json{{"invoice", fmt::format("R-{}", dice.between(20000, 29999))},
                {"customer", customer},
                {"language", pick(languages, dice)}}
        .dump();
  if (kind.queue == "media")
    return json{{"video", fmt::format("talks/{}.mov", dice.between(100, 399))},
                {"sizes", {1080, 720, 360}}}
        .dump();
  if (kind.queue == "summaries")
    return json{{"ticket", dice.between(40000, 49999)}, {"model", "demo-small"}, {"words", 80}}
        .dump();
  return json{{"index", pick(plans, dice)}, {"shards", 12}}.dump();
}

std::vector<std::string> demo_tags(const DemoKind& kind, Dice& dice) {
  std::vector<std::string> tags{fmt::format("customer-{}", dice.between(1, 24))};
  if (kind.queue == "nightly") tags = {"nightly"};
  if (dice.percent(20)) tags.push_back(pick(plans, dice));
  return tags;
}

std::string demo_sentence(std::size_t n) {
  return sentences[n % sentences.size()];
}

Registry& add_demo_kinds(Registry& registry) {
  for (const DemoKind& told : demo_kinds) {
    Kind kind;
    kind.run = [&told](JobContext job) { return play(job, &told); };
    kind.sentence = std::string{told.sentence};
    registry.add(std::string{told.name}, std::move(kind));
  }
  return registry;
}

}  // namespace quell::cli
