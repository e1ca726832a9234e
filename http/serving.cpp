#include "http/serving.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "http/version.hpp"

namespace quell::http {

namespace {

Millis seconds(std::int64_t n) {
  return Millis{n * 1000};
}

Millis days(std::int64_t n) {
  return Millis{n * 24 * 3600 * 1000};
}

// Written beside and renamed, so that nobody reads half a token; 0600 from its first byte on.
Result<void> write_private(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  if (const auto slash = path.rfind('/'); slash != std::string::npos)
    ::mkdir(path.substr(0, slash).c_str(), 0700);
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Error{ErrorCode::usage, fresh + " cannot be written: " + std::strerror(errno)};
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool kept = ::fsync(fd) == 0;
  ::close(fd);
  if (!written || !kept || ::rename(fresh.c_str(), path.c_str()) != 0)
    return Error{ErrorCode::usage, path + " cannot be written: " + std::strerror(errno)};
  return {};
}

ServerOptions server_options(const SettingValues& values) {
  ServerOptions options;
  options.listen = values.listen;
  options.certificate = values.tls_cert_file;
  options.key = values.tls_key_file;
  options.limits.head.header = static_cast<std::size_t>(values.header_max_bytes);
  options.limits.body_time = seconds(values.request_timeout_s);
  options.limits.header_time = std::min(options.limits.header_time, options.limits.body_time);
  options.limits.write_time = options.limits.body_time;  // a reader may take as long as a writer
  options.limits.idle_time = seconds(values.idle_timeout_s);
  options.limits.connections = static_cast<std::size_t>(values.connections_max);
  return options;
}

// "https://quell.example" of a URL, as a browser's Origin field writes it.
std::string origin_of(const std::string& url) {
  const std::size_t host = url.find("://");
  return host == std::string::npos ? std::string{} : url.substr(0, url.find('/', host + 3));
}

// The members of a JSON object, which a log line adds to its own.
std::string members_of(const std::string& object) {
  return object.substr(1, object.size() - 2);
}

DoorSettings door_settings(const SettingValues& values) {
  DoorSettings settings;
  settings.confirm_deletes = values.require_confirm;
  settings.dry_run = values.dry_run;
  settings.frozen = values.frozen;
  settings.delete_wait = seconds(values.delete_wait_s);
  settings.max_ids = static_cast<std::size_t>(values.ids_max);
  settings.job_defaults.max_attempts = static_cast<int>(values.max_attempts);
  settings.job_defaults.timeout = seconds(values.attempt_timeout_s);
  settings.job_defaults.backoff = Millis{values.backoff_first_ms};
  settings.job_defaults.backoff_max = seconds(values.backoff_max_s);
  settings.max_streams = static_cast<std::size_t>(values.event_streams_max);
  settings.reads_per_minute = values.rate_read_per_minute;
  settings.writes_per_minute = values.rate_write_per_minute;
  settings.deletes_per_minute = values.rate_delete_per_minute;
  settings.open_metrics = values.metrics_public || is_loopback(values.listen);
  settings.failed_logins_per_minute = values.login_per_minute;
  settings.over_tls =
      !values.tls_cert_file.empty() || values.public_url.compare(0, 8, "https://") == 0;
  settings.plain_logins = is_loopback(values.listen);
  settings.origin = origin_of(values.public_url);
  return settings;
}

}  // namespace

NodeSettings node_settings(const SettingValues& values, NodeHooks hooks) {
  NodeSettings settings;
  settings.log = std::move(hooks.log);
  settings.leave = std::move(hooks.leave);
  settings.end = std::move(hooks.end);
  settings.store = values.store;
  settings.data_dir = values.data_dir;
  settings.pools.clear();
  for (const std::string& text : values.pool)
    if (const Result<PoolSpec> pool = parse_pool(text))
      settings.pools[pool.value().name] = static_cast<int>(pool.value().slots);
  for (const std::string& text : values.queue)
    if (const Result<QueueSpec> queue = parse_queue(text))
      settings.queues.push_back(
          {queue.value().name, queue.value().pool, static_cast<int>(queue.value().weight)});
  settings.job_threads = static_cast<int>(values.job_threads);
  settings.read_threads = static_cast<int>(values.read_threads);
  settings.outbound_allow = values.outbound_allow;
  settings.stop_deadline = Millis{values.stop_deadline_ms};
  settings.beat = seconds(values.beat_s);
  settings.lease = seconds(values.lease_s);
  settings.self_stop = seconds(values.self_stop_s);
  settings.poll = Millis{values.poll_ms};
  settings.drain_timeout = seconds(values.drain_timeout_s);
  settings.secret_key = values.secret_key.reveal();
  settings.version = version;
  settings.janitor_period = Millis{values.poll_ms};
  settings.delete_tries = static_cast<int>(values.delete_tries);
  settings.max_lost = static_cast<int>(values.max_lost);
  if (values.archive) settings.keep_copy = days(values.archive_days);
  settings.tomb_keep = days(values.tombstone_days);
  settings.keep_succeeded = days(values.retention_succeeded_days);
  settings.keep_failed = days(values.retention_failed_days);
  settings.keep_cancelled = days(values.retention_cancelled_days);
  settings.webhook_concurrency = static_cast<int>(values.webhook_concurrency);
  settings.webhook_timeout = seconds(values.webhook_timeout_s);
  settings.webhook_patience = days(values.webhook_disable_days);
  settings.webhook_rotate = std::chrono::hours{values.webhook_rotate_h};
  settings.clerk_queue = static_cast<std::size_t>(values.clerk_queue);
  settings.unsafe = values.unsafe;
  return settings;
}

Result<std::unique_ptr<Serving>> Serving::start(const Settings& settings, Registry registry,
                                                std::shared_ptr<Keeper> keeper, NodeHooks hooks) {
  const SettingValues& values = settings.values;
  std::unique_ptr<Serving> serving{new Serving};
  serving->listen_ = values.listen;
  serving->data_dir_ = values.data_dir;
  serving->tls_ = !values.tls_cert_file.empty();
  Result<std::unique_ptr<Server>> server = Server::bind(server_options(values));
  if (!server) return server.error();
  serving->server_ = std::move(*server);

  DoorSettings door_values = door_settings(values);
  if (values.access_log && hooks.log)
    door_values.access_log = [log = hooks.log](const std::string& line) {
      log(LogLevel::info, "request", members_of(line));
    };
  Result<std::unique_ptr<Node>> node =
      start_node(node_settings(values, std::move(hooks)), std::move(registry), std::move(keeper));
  if (!node) return node.error();
  serving->node_ = std::move(*node);

  serving->door_ =
      std::make_unique<Door>(*serving->node_, *serving->server_, std::move(door_values));
  Result<std::optional<std::string>> opened =
      serving->door_->open([dir = values.data_dir](const std::string& token) {
        return dir.empty() ? Result<void>() : write_private(dir + "/admin.token", token + "\n");
      });
  if (!opened) return opened.error();
  serving->admin_token_ = std::move(*opened);
  if (!values.data_dir.empty())
    if (Result<void> written =
            write_private(values.data_dir + "/server.url", serving->url() + "\n");
        !written)
      return written.error();

  Door* door = serving->door_.get();
  serving->server_->start(
      [door](Request request, std::shared_ptr<Responder> responder) {
        door->handle(std::move(request), std::move(responder));
      },
      [door](const Request& request) { return door->body_limit(request); });
  door->begin();
  return serving;
}

std::string Serving::url() const {
  std::string host;
  std::uint16_t ignored = 0;
  split_address(listen_, host, ignored);
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return std::string{tls_ ? "https://" : "http://"} + host + ":" + std::to_string(port());
}

bool Serving::stop(Millis deadline) {
  if (stopped_) return true;
  stopped_ = true;
  door_->close();
  server_->drain(std::min(deadline, Millis{5'000}));
  const bool clean = node_->stop(deadline);
  if (!data_dir_.empty()) ::unlink((data_dir_ + "/server.url").c_str());
  return clean;
}

Serving::~Serving() {
  if (node_) stop(Millis{0});
  // The door listens to the node, so it goes first; the server takes late answers of both.
  if (door_) door_->close();
  node_.reset();
}

}  // namespace quell::http
