// Where jobs rest. Three implementations (memory, SQLite, PostgreSQL) pass one conformance suite;
// SQL ends here.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"
#include "storage/batch.hpp"
#include "storage/reader.hpp"

namespace quell::storage {

// One connection that writes. Used by one thread at a time.
class Writer {
 public:
  virtual ~Writer() = default;
  // All of the batch, durably, or nothing. On `store_unavailable` the outcome is unknown: re-read,
  // never assume.
  virtual Result<Outcome> apply(const Batch& batch) = 0;
  // Upkeep between batches, cheap enough for every second: vacuum of the hot table, checkpoint,
  // forgetting what is past its `until`.
  virtual Result<void> upkeep(Instant now) = 0;
};

// Wakes whoever waits when another process wrote something of interest. A hint: polling is the
// truth.
class Hints {
 public:
  virtual ~Hints() = default;
  // Blocks until a hint arrives or the time is up; returns what was named (see hints.hpp).
  virtual Result<std::vector<std::string>> wait(Millis at_most) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Result<std::unique_ptr<Writer>> open_writer() = 0;
  virtual Result<std::unique_ptr<Reader>> open_reader() = 0;
  virtual Result<std::unique_ptr<Hints>>
  open_hints() = 0;  // may return a null pointer: none to be had
  // The most that any commit's can be now: `replicated` only while the server waits for standbys.
  virtual Durability at_best() const = 0;
  // What the store has acknowledged to this process, to be given to the next one when it opens the
  // store: "" where a store cannot lose that without losing itself.
  virtual std::string acknowledged() const { return {}; }
  // What is missing of that; "" for nothing. Then every call fails until it is accepted that what
  // is there now counts.
  virtual std::string lost() const { return {}; }
  virtual void accept_history() {}
  virtual bool shared() const = 0;         // other processes may write to it
  virtual int writers_wanted() const = 0;  // connections that overlap well (SQLite 1)
};

struct OpenOptions {
  std::string data_dir = {};  // for sqlite: without a path
  bool unsafe = false;        // allow memory:, fsync=off
  bool migrate = true;
  std::string acknowledged = {};  // see Store::acknowledged
};

// `sqlite:PATH`, `postgres://…`, `memory:`. Locks what may have one owner only; checks and migrates
// the schema.
Result<std::unique_ptr<Store>> open_store(const std::string& url, const OpenOptions& options);

}  // namespace quell::storage
