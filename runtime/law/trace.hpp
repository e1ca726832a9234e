// What a process does of the protocol, one line a step, for the checker
// (runtime/law/trace_check.hpp). Off unless QUELL_TRACE names a file (the process's id is put
// behind it); then a step costs one relaxed load.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "runtime/base/id.hpp"
#include "runtime/base/result.hpp"

namespace quell {

enum class ProtocolStep : std::uint8_t {
#define PROTOCOL_STEP(name, by, sentence) name,
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_STEP
};

// One line: MOMENT ACTOR STEP JOB EPOCH REF. The moment is of the machine's steady clock. The epoch
// is that of the run; a delivery has its own id as ref instead, and 0.
struct TracedStep {
  ProtocolStep step = ProtocolStep::born;
  JobId job;
  std::int64_t epoch = 0;
  Uuid ref = {};
};

std::string trace_line(std::uint64_t moment, const TracedStep& step);
Result<TracedStep> trace_step(std::string_view line);

namespace traces {
extern std::atomic<bool> on;
void write(const TracedStep& step);  // thread-safe; lines stand in the order of the calls
// Called once, before there are threads. "" switches it off; a file that cannot be opened is a
// fault.
Result<void> open(const std::string& path);
}  // namespace traces

inline bool traced() {
  return traces::on.load(std::memory_order_relaxed);
}
inline void trace(ProtocolStep step, JobId job, std::int64_t epoch = 0, Uuid ref = {}) {
  if (traced()) traces::write({step, job, epoch, ref});
}

}  // namespace quell
