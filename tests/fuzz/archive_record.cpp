// The copy of an erased job reads back as it was, byte for byte; and whatever lies in its place is
// read or is a fault, without taking more memory than a text of ours may have.
#include "storage/archive_record.hpp"

#include <fuzzer/FuzzedDataProvider.h>

#include "runtime/base/bounded_json.hpp"
#include "storage/fault.hpp"
#include "tests/fuzz/property.hpp"

using namespace quell;
using namespace quell::storage;
using fuzz::hold;

namespace {

ArchiveRecord record(FuzzedDataProvider& draw) {
  const auto text = [&draw](std::size_t most) { return draw.ConsumeRandomLengthString(most); };
  const auto time = [&draw] { return Instant{Millis{draw.ConsumeIntegral<std::int64_t>()}}; };
  ArchiveRecord one;
  one.project = text(20), one.queue = text(20), one.kind = text(20);
  one.priority = draw.ConsumeIntegral<int>(), one.epoch = draw.ConsumeIntegral<int>();
  if (draw.ConsumeBool()) one.started = time();
  one.args = text(4000), one.options = text(100), one.result = text(4000), one.error = text(100);
  if (draw.ConsumeBool()) one.unique_key = text(20);
  for (int n = draw.ConsumeIntegralInRange(0, 3); n > 0; --n)
    one.attempts.push_back({n, std::nullopt, time(), text(10), text(50), text(10)});
  for (int n = draw.ConsumeIntegralInRange(0, 3); n > 0; --n) one.partials.push_back(text(200));
  for (int n = draw.ConsumeIntegralInRange(0, 3); n > 0; --n)
    one.logs.push_back({time(), text(8), text(200)});
  return one;
}

void hold_round_trip(FuzzedDataProvider& draw) {
  const ArchiveRecord one = record(draw);
  ArchivePacker packer;
  const std::string packed = packer.pack(one);
  hold(packed == packer.pack(one), "packed twice is the same");
  const Result<ArchiveRecord> read = unpack_record(packed);
  hold(read.ok(), "a copy is read by its own reader");
  const ArchiveRecord& back = *read;
  hold(back.project == one.project && back.queue == one.queue && back.kind == one.kind,
       "its names");
  hold(back.args == one.args && back.result == one.result && back.error == one.error &&
           back.options == one.options && back.unique_key == one.unique_key,
       "its texts, byte for byte");
  hold(back.epoch == one.epoch && back.priority == one.priority, "its numbers");
  hold(back.started == one.started, "its times");
  hold(back.partials == one.partials && back.attempts.size() == one.attempts.size() &&
           back.logs.size() == one.logs.size(),
       "its lists");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider draw(data, size);
  if (draw.ConsumeBool()) {
    hold_round_trip(draw);
    return 0;
  }
  std::string stored = draw.ConsumeRemainingBytesAsString();
  if (!stored.empty() && stored.front() == '!') stored.replace(0, 1, "\x28\xb5\x2f\xfd");
  (void)unpack_record(stored);  // a fault is an answer
  try {
    hold(unpacked(stored).size() <= own_json_bytes_limit, "no larger than a text of ours");
  } catch (const Fault&) {  // the way to say that it is damaged
  }
  return 0;
}
