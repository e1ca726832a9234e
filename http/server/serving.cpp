#include "http/server/serving.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "http/server/version.hpp"

namespace quell::http {

namespace {

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

// Callers get half at most: jobs, the store and programs need theirs.
std::size_t most_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1 << 20;
  return static_cast<std::size_t>(limit.rlim_cur);
}

ServerOptions server_options(const SettingValues& values) {
  ServerOptions options;
  options.listen = values.listen;
  options.certificate = values.tls_cert_file;
  options.key = values.tls_key_file;
  options.limits.head.header = values.header_max;
  options.limits.body_time = values.request_timeout;
  options.limits.header_time = std::min(options.limits.header_time, options.limits.body_time);
  options.limits.write_time = options.limits.body_time;  // a reader may take as long as a writer
  options.limits.idle_time = values.idle_timeout;
  options.limits.connections =
      std::min(static_cast<std::size_t>(values.connections_max), most_descriptors() / 2);
  // On loopback everybody has one address, also who comes through a proxy.
  if (!is_loopback(values.listen))
    options.limits.connections_per_address =
        static_cast<std::size_t>(values.connections_per_address);
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

std::string host_of(const std::string& authority) {
  std::string host;
  std::uint16_t ignored = 0;
  if (!split_address(authority, host, ignored)) host = authority;
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// By which a server on loopback is asked: as a person writes it, and as a proxy before it may.
std::vector<std::string> loopback_names(const SettingValues& values) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "[::1]", host_of(values.listen)};
  const std::string origin = origin_of(values.public_url);
  if (!origin.empty()) names.push_back(host_of(origin.substr(origin.find("://") + 3)));
  return names;
}

ApiSettings api_settings(const SettingValues& values) {
  ApiSettings settings{values};
  settings.open_metrics = values.metrics_public || is_loopback(values.listen);
  settings.over_tls =
      !values.tls_cert_file.empty() || values.public_url.compare(0, 8, "https://") == 0;
  settings.plain_logins = is_loopback(values.listen);
  if (is_loopback(values.listen)) settings.hosts = loopback_names(values);
  settings.origin = origin_of(values.public_url);
  return settings;
}

}  // namespace

NodeSettings node_settings(const SettingValues& values, NodeHooks hooks) {
  NodeSettings settings{values};
  settings.log = std::move(hooks.log);
  settings.leave = std::move(hooks.leave);
  settings.end = std::move(hooks.end);
  settings.on_fatal = std::move(hooks.on_fatal);
  settings.version = version;
  settings.take_work = hooks.take_work;
  return settings;
}

Result<std::unique_ptr<Serving>> Serving::start(const Settings& settings, Registry registry,
                                                std::shared_ptr<Keeper> keeper, NodeHooks hooks) {
  const SettingValues& values = settings.values;
  std::unique_ptr<Serving> serving{new Serving};
  serving->listen_ = values.listen;
  serving->data_dir_ = values.data_dir;
  serving->tls_ = !values.tls_cert_file.empty();
  if (!serving->tls_ && !is_loopback(values.listen) && !values.unsafe)
    return Error{ErrorCode::usage,
                 "tokens and jobs would cross the network in the clear: set tls_cert_file and "
                 "tls_key_file, listen on loopback behind a proxy, or say --unsafe"};
  ServerOptions options = server_options(values);
  options.on_fault = [serving = serving.get()](const std::exception_ptr& thrown) {
    serving->node_->fell("server", thrown);
  };
  Result<std::unique_ptr<Server>> server = Server::bind(options);
  if (!server) return server.error();
  serving->server_ = std::move(*server);

  ApiSettings api_values = api_settings(values);
  if (values.access_log && hooks.log)
    api_values.request_log = [log = hooks.log](const std::string& line) {
      log(LogLevel::info, "request", members_of(line));
    };
  if (hooks.log)
    api_values.refusal_log = [log = hooks.log](const std::string& line) {
      log(LogLevel::warning, "refused", members_of(line));
    };
  Result<std::unique_ptr<Node>> node =
      start_node(node_settings(values, std::move(hooks)), std::move(registry), std::move(keeper));
  if (!node) return node.error();
  serving->node_ = std::move(*node);

  serving->api_ =
      std::make_unique<ApiServer>(*serving->node_, *serving->server_, std::move(api_values));
  Result<std::optional<std::string>> opened =
      serving->api_->open([dir = values.data_dir](const std::string& token) {
        return dir.empty() ? Result<void>() : write_private(dir + "/admin.token", token + "\n");
      });
  if (!opened) return opened.error();
  serving->admin_token_ = std::move(*opened);
  if (!values.data_dir.empty())
    if (Result<void> written =
            write_private(values.data_dir + "/server.url", serving->url() + "\n");
        !written)
      return written.error();

  ApiServer* api = serving->api_.get();
  serving->server_->start(
      [api](Request request, std::shared_ptr<Responder> responder) {
        api->handle(std::move(request), std::move(responder));
      },
      [api](const Request& request) { return api->body_ruling(request); });
  api->begin();
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
  api_->close();
  server_->drain(std::min(deadline, Millis{5'000}));
  const bool clean = node_->stop(deadline);
  if (!data_dir_.empty()) ::unlink((data_dir_ + "/server.url").c_str());
  return clean;
}

Serving::~Serving() {
  if (node_) stop(Millis{0});
  // The API listens to the node, so it goes first; the server takes late answers of both.
  if (api_) api_->close();
  node_.reset();
}

}  // namespace quell::http
