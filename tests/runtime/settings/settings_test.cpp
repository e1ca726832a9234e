#include "runtime/settings/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "runtime/base/nearest_name.hpp"

namespace quell {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

SettingSources toml(std::string text) {
  SettingSources sources;
  sources.files.push_back({"quell.toml", std::move(text)});
  return sources;
}

SettingSources flags(std::vector<std::pair<std::string, std::string>> given) {
  SettingSources sources;
  sources.flags = std::move(given);
  return sources;
}

using Pools = std::map<std::string, int>;

std::string fault_of(const SettingSources& sources) {
  const Result<Settings> loaded = Settings::load(sources);
  return loaded ? "(no fault)" : loaded.error().detail;
}

struct TemporaryFile {
  explicit TemporaryFile(const std::string& text)
      : path(testing::TempDir() + "quell_settings_" + std::to_string(getpid())) {
    std::ofstream(path) << text;
  }
  ~TemporaryFile() { std::remove(path.c_str()); }
  std::string path;
};

TEST(Settings, EveryRowHasASentenceAUniqueNameAndAFallbackWithinItsRange) {
  std::set<std::string_view> names;
  for (const SettingInfo& row : setting_infos()) {
    SCOPED_TRACE(row.name);
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_GT(row.sentence.size(), 10u);
    EXPECT_EQ(row.sentence.back(), '.');
    EXPECT_EQ(row.type == SettingType::choice, !row.options.empty());
    if (is_number(row.type)) {
      EXPECT_LT(row.min, row.max);
    }
    EXPECT_EQ(find_setting(row.name), &row);
    EXPECT_FALSE(to_string(row.type).empty());
  }
  EXPECT_EQ(find_setting("nonsense"), nullptr);
}

TEST(Settings, DefaultsLoadWithoutAFaultAndSayWhereTheyComeFrom) {
  SettingSources sources;
  sources.environment["HOME"] = "/home/ada";
  const Result<Settings> settings = Settings::load(sources);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->values.listen, "127.0.0.1:8080");
  EXPECT_EQ(settings->values.data_dir, "/home/ada/.local/share/quell");
  EXPECT_EQ(settings->values.store, "sqlite:/home/ada/.local/share/quell/quell.db");
  EXPECT_EQ(settings->values.pools, (Pools{{"default", 1000}}));
  EXPECT_THAT(settings->values.outbound_allow, IsEmpty());
  EXPECT_EQ(settings->values.attempt_timeout, std::chrono::minutes{10});
  EXPECT_FALSE(settings->values.frozen);
  EXPECT_EQ(settings->origin("listen").where, "default");
}

TEST(Settings, TheDataDirectoryFollowsXdg) {
  SettingSources sources;
  sources.environment = {{"HOME", "/home/ada"}, {"XDG_DATA_HOME", "/data"}};
  EXPECT_EQ(Settings::load(sources)->values.data_dir, "/data/quell");
  sources.environment["XDG_DATA_HOME"] = "not/absolute";
  EXPECT_EQ(Settings::load(sources)->values.data_dir, "/home/ada/.local/share/quell");
  sources.flags = {{"data-dir", "/srv/q"}};
  EXPECT_EQ(Settings::load(sources)->values.store, "sqlite:/srv/q/quell.db");
}

TEST(Settings, EachLayerWinsOverTheOnesBeforeItAndIsRemembered) {
  SettingSources sources = toml("job_threads = 3\nids_max = 10\nmax_lost = 7\n");
  sources.files.push_back({"user.toml", "\nids_max = 11"});
  sources.environment = {{"QUELL_JOB_THREADS", "4"}, {"QUELL_POLL_MS", "50"}};
  sources.flags = {{"job-threads", "5"}};
  const Result<Settings> settings = Settings::load(sources);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->values.job_threads, 5);
  EXPECT_EQ(settings->origin("job_threads").where, "--job-threads");
  EXPECT_EQ(settings->values.poll, Millis{50});
  EXPECT_EQ(settings->origin("poll_ms").where, "QUELL_POLL_MS");
  EXPECT_EQ(settings->values.ids_max, 11);
  EXPECT_EQ(settings->origin("ids_max").where, "user.toml:2");
  EXPECT_EQ(settings->origin("max_lost").where, "quell.toml:3");
  EXPECT_EQ(settings->origin("max_lost").layer, SettingLayer::file);
}

TEST(Settings, TomlTakesArraysTablesAndGroups) {
  const Result<Settings> settings = Settings::load(toml(R"(
    dry_run = true
    log_level = "warn"
    queue = ["mail:slow:3", "default"]
    outbound_allow = "10.0.0.0/8, fd00::/8"
    [pool]
    default = 20
    slow = 2
    [retention]
    failed_days = 90
  )"));
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_TRUE(settings->values.dry_run);
  EXPECT_EQ(settings->values.log_level, "warn");
  EXPECT_EQ(settings->shown("queue"), "mail:slow:3, default");
  EXPECT_EQ(settings->values.pools, (Pools{{"default", 20}, {"slow", 2}}));
  EXPECT_THAT(settings->values.outbound_allow, ElementsAre("10.0.0.0/8", "fd00::/8"));
  EXPECT_EQ(settings->values.retention_failed, std::chrono::hours{24 * 90});
}

TEST(Settings, RepeatedFlagsAddToAListAndReplaceTheLayersBelow) {
  SettingSources sources = toml("pool = ['default=1', 'a=2']");
  sources.flags = {{"pool", "default=9"}, {"pool", "b=3"}};
  EXPECT_EQ(Settings::load(sources)->values.pools, (Pools{{"default", 9}, {"b", 3}}));
  EXPECT_THAT(fault_of(flags({{"job-threads", "1"}, {"job-threads", "2"}})),
              HasSubstr("given twice"));
}

TEST(Settings, AnUnknownNameIsAnswerdWithTheNearestOne) {
  EXPECT_THAT(
      fault_of(toml("\njob_thread = 3")),
      HasSubstr("quell.toml:2: unknown setting 'job_thread' (did you mean 'job_threads'?)"));
  EXPECT_THAT(fault_of(toml("[retention]\nfaild_days = 3")),
              HasSubstr("did you mean 'retention_failed_days'?"));
  EXPECT_THAT(fault_of(flags({{"lisen", "x"}})), HasSubstr("did you mean 'listen'?"));
  EXPECT_THAT(fault_of(toml("completely_different = 1")), Not(HasSubstr("did you mean")));
}

TEST(Settings, AnUnknownNameInTheEnvironmentIsWarnedOfAndPassedOver) {
  SettingSources sources;
  sources.environment = {{"QUELL_STOR", "x"}, {"QUELL_POLL_MS", "50"}};
  const Result<Settings> settings = Settings::load(sources);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->values.poll, Millis{50});
  EXPECT_THAT(settings->warnings,
              ElementsAre("QUELL_STOR: unknown setting 'stor' (did you mean 'store'?); it is "
                          "passed over"));
  sources.environment["QUELL_POLL_MS"] = "1";
  EXPECT_THAT(fault_of(sources), HasSubstr("QUELL_POLL_MS: poll_ms takes a number"))
      << "a known name with a bad value is a fault there too";
}

TEST(Settings, EnvironmentOfOthersIsLeftAlone) {
  SettingSources sources;
  sources.environment = {{"QUELL_URL", "x"},
                         {"QUELL_TOKEN", "x"},
                         {"QUELL_PORT", "tcp://x:1"},
                         {"QUELL_SERVICE_HOST", "10.0.0.1"},
                         {"PATH", "/bin"},
                         {"QUELL_JOB_THREADS", ""}};
  const Result<Settings> settings = Settings::load(sources);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->values.job_threads, Settings().values.job_threads);
  EXPECT_THAT(settings->warnings, IsEmpty());
}

TEST(Settings, ANumberOutOfRangeIsToldItsRange) {
  for (const char* bad : {"1025", "-1", "many", "1.5", "1 ", "99999999999999999999"}) {
    SCOPED_TRACE(bad);
    EXPECT_THAT(fault_of(flags({{"job-threads", bad}})),
                HasSubstr("--job-threads: job_threads takes a whole number from 0 to 1024, not '"));
  }
  EXPECT_THAT(fault_of(flags({{"lease-s", "3601"}})),
              HasSubstr("lease_s takes a number of seconds from 3 to 3600, not '3601'"));
  EXPECT_THAT(fault_of(flags({{"flush-ms", "1"}})),
              HasSubstr("flush_ms takes a number of milliseconds from 10 to 60000, not '1'"));
  EXPECT_THAT(fault_of(toml("job_threads = 1.5")), HasSubstr("quell.toml:1: job_threads takes"));
  for (const char* good : {"1", "1024"})
    EXPECT_EQ(fault_of(flags({{"job-threads", good}})), "(no fault)");
}

TEST(Settings, FlagsAndChoicesTakeOnlyTheirWords) {
  for (const char* yes : {"true", "1", "yes", "on"})
    EXPECT_TRUE(Settings::load(flags({{"frozen", yes}}))->values.frozen);
  for (const char* no : {"false", "0", "no", "off"})
    EXPECT_FALSE(Settings::load(flags({{"frozen", no}}))->values.frozen);
  EXPECT_THAT(fault_of(flags({{"frozen", "maybe"}})),
              HasSubstr("frozen takes true or false, not 'maybe'"));
  EXPECT_THAT(fault_of(flags({{"log-level", "loud"}})),
              HasSubstr("takes one of: trace debug info warn error off; not 'loud'"));
  EXPECT_THAT(fault_of(flags({{"log-level", "info warn"}})), HasSubstr("takes one of"));
  EXPECT_THAT(fault_of(toml("job_threads = [1, 2]")),
              HasSubstr("job_threads takes one plain value"));
}

TEST(Settings, AllFaultsAreToldAtOnce) {
  const std::string fault = fault_of(flags({{"job-threads", "-1"}, {"lisen", "x"}, {"pool", "x"}}));
  EXPECT_THAT(fault, HasSubstr("job_threads"));
  EXPECT_THAT(fault, HasSubstr("lisen"));
  EXPECT_THAT(fault, HasSubstr("pool"));
}

TEST(Settings, BrokenTomlNamesItsLine) {
  EXPECT_THAT(fault_of(toml("a = 1\nb = = 2")), HasSubstr("quell.toml:2: "));
}

TEST(Settings, ASecretComesFromAFileAndIsNeverShown) {
  const TemporaryFile file("hunter2\n");
  SettingSources sources;
  sources.environment["QUELL_SECRET_KEY_FILE"] = file.path;
  const Result<Settings> settings = Settings::load(sources);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->values.secret_key.reveal(), "hunter2");
  EXPECT_EQ(settings->shown("secret_key"), "(set)");
  EXPECT_EQ(Settings().shown("secret_key"), "(not set)");
  EXPECT_EQ(settings->origin("secret_key").where, "QUELL_SECRET_KEY_FILE " + file.path);
  EXPECT_EQ(
      Settings::load(toml("secret_key_file = '" + file.path + "'"))->values.secret_key.reveal(),
      "hunter2");
  EXPECT_EQ(Settings::load(flags({{"secret-key-file", file.path}}))->values.secret_key.reveal(),
            "hunter2");
}

TEST(Settings, ASecretOnTheCommandLineOrTwiceIsRefused) {
  const std::string fault = fault_of(flags({{"secret-key", "hunter2"}}));
  EXPECT_THAT(fault, HasSubstr("--secret-key-file"));
  EXPECT_THAT(fault, Not(HasSubstr("hunter2")));
  const TemporaryFile file("hunter2");
  SettingSources both;
  both.environment = {{"QUELL_SECRET_KEY", "x"}, {"QUELL_SECRET_KEY_FILE", file.path}};
  EXPECT_THAT(fault_of(both), HasSubstr("both as a text and as a file"));
}

TEST(Settings, ASecretFileThatIsMissingOrEmptyIsAFault) {
  EXPECT_THAT(fault_of(flags({{"secret-key-file", "/nonexistent/x"}})),
              HasSubstr("cannot be read"));
  const TemporaryFile empty("\n");
  EXPECT_THAT(fault_of(flags({{"secret-key-file", empty.path}})), HasSubstr("is empty"));
}

TEST(Settings, PasswordsInUrlsAreHidden) {
  EXPECT_EQ(without_password("postgres://ada:s3cret@db/q"), "postgres://ada:***@db/q");
  EXPECT_EQ(without_password("postgres://ada:s3@c/r:et@db:5432/q"), "postgres://ada:***@db:5432/q");
  EXPECT_EQ(without_password("postgres://ada@db:5432/q"), "postgres://ada@db:5432/q");
  EXPECT_EQ(without_password("postgres://db/q?user=a&password=s3cret&x=1"),
            "postgres://db/q?user=a&password=***&x=1");
  EXPECT_EQ(without_password("sqlite:/a:b@c"), "sqlite:/a:b@c");
  Settings settings;
  settings.values.store = "postgres://ada:s3cret@db/q";
  EXPECT_THAT(settings.shown("store"), Not(HasSubstr("s3cret")));
  EXPECT_THAT(fault_of(flags({{"store", "mysql://ada:s3cret@db/q"}})), Not(HasSubstr("s3cret")));
}

TEST(Settings, EveryValueCanBeShown) {
  const Settings settings;
  for (const SettingInfo& row : setting_infos())
    if (row.type != SettingType::secret) {
      EXPECT_EQ(settings.shown(row.name), row.fallback) << row.name;
    }
}

TEST(Settings, ALeaseMustOutliveTheNodesOwnStop) {
  EXPECT_EQ(fault_of(flags({{"lease-s", "14"}})), "(no fault)");
  EXPECT_THAT(fault_of(flags({{"lease-s", "13"}})), HasSubstr("lease_s (13 s) must be longer"));
  EXPECT_THAT(fault_of(flags({{"stop-deadline-ms", "4000"}})), HasSubstr("lease_s"));
  EXPECT_THAT(fault_of(flags({{"beat-s", "10"}})), HasSubstr("beat_s"));
}

TEST(Settings, OtherContradictionsAreFound) {
  EXPECT_THAT(fault_of(flags({{"tls-cert-file", "a"}})), HasSubstr("together"));
  EXPECT_THAT(fault_of(flags({{"bulk-body-max-bytes", "2048"}})), HasSubstr("bulk_body_max_bytes"));
  EXPECT_THAT(fault_of(flags({{"backoff-max-s", "1"}, {"backoff-first-ms", "1001"}})),
              HasSubstr("backoff"));
  EXPECT_THAT(fault_of(flags({{"pool", "a=1"}})),
              HasSubstr("names the pool 'default', which is not there"));
  EXPECT_THAT(fault_of(flags({{"pool", "default=1"}, {"pool", "default=2"}})), HasSubstr("twice"));
  EXPECT_THAT(fault_of(flags({{"queue", "a"}, {"queue", "a"}})), HasSubstr("twice"));
  EXPECT_THAT(fault_of(flags({{"outbound-allow", "10.0.0.0/33"}})), HasSubstr("address range"));
  EXPECT_THAT(fault_of(flags({{"public-url", "x"}})), HasSubstr("public_url"));
  EXPECT_THAT(fault_of(flags({{"listen", "8080"}})), HasSubstr("HOST:PORT"));
}

TEST(Settings, PoolsAndQueuesAreReadStrictly) {
  EXPECT_EQ(*parse_pool("a=0"), (PoolSpec{"a", 0}));
  EXPECT_EQ(*parse_pool("io-1.x_y=1000"), (PoolSpec{"io-1.x_y", 1000}));
  for (const char* bad :
       {"", "a", "=1", "a=", "a=x", "a=-1", "a=1=2", "a b=1", "a=10000001", "ä=1"})
    EXPECT_FALSE(parse_pool(bad)) << bad;
  EXPECT_EQ(parse_queue("a")->pool, "default");
  EXPECT_EQ(parse_queue("a:b")->pool, "b");
  EXPECT_EQ(parse_queue("a:b:7")->weight, 7u);
  for (const char* bad : {"", ":b", "a:", "a:b:", "a:b:0", "a:b:1001", "a:b:1:2", "a b"})
    EXPECT_FALSE(parse_queue(bad)) << bad;
}

TEST(Settings, ListenAddressesAreReadStrictly) {
  EXPECT_EQ(*parse_listen("127.0.0.1:80"), (HostPort{"127.0.0.1", 80}));
  EXPECT_EQ(*parse_listen("[::1]:8080"), (HostPort{"::1", 8080}));
  EXPECT_EQ(*parse_listen("localhost:0"), (HostPort{"localhost", 0}));
  for (const char* bad : {"", "8080", ":80", "::1:80", "a:", "a:65536", "a:x", "[]:80"})
    EXPECT_FALSE(parse_listen(bad)) << bad;
}

TEST(NearestName, OnlyANearNameIsOffered) {
  const std::vector<std::string_view> names{"delete", "submit", "deletions"};
  EXPECT_EQ(nearest_name("delet", names), "delete");
  EXPECT_EQ(nearest_name("deletion", names), "deletions");
  EXPECT_EQ(nearest_name("xyzzy", names), "");
  EXPECT_EQ(nearest_name(std::string(1'000, 'd'), names), "");
  EXPECT_EQ(did_you_mean("sumbit", names), " (did you mean 'submit'?)");
  EXPECT_EQ(did_you_mean("xyzzy", names), "");
}

}  // namespace
}  // namespace quell
