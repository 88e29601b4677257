#include "server/assembly/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/logging.h"
#include "server/access/access.h"
#include "server/assembly/stored.h"
#include "server/auth/accounts.h"
#include "server/blobs/blob_store.h"
#include "server/caches/cache_depot.h"
#include "server/coordinator/coordinator.h"
#include "server/deployments/deployment_clock.h"
#include "server/dispatch/dispatch.h"
#include "server/git/mirror.h"
#include "server/http/coordinator_writer.h"
#include "server/http/event_feed.h"
#include "server/http/rooms.h"
#include "server/http/run_room.h"
#include "server/http/server.h"
#include "server/identity/token_signer.h"
#include "server/intake/downstreams.h"
#include "server/intake/intake.h"
#include "server/intake/job_payload.h"
#include "server/intake/planner.h"
#include "server/intake/ref_watcher.h"
#include "server/login/remote_login.h"
#include "server/outbox/forge_status.h"
#include "server/outbox/outbox.h"
#include "server/retention/artifact_cleaner.h"
#include "server/retention/run_cleaner.h"
#include "server/schedules/schedules.h"
#include "server/store/database.h"
#include "server/telemetry/metrics.h"
#include "server/trace/trace_store.h"
#include "server/variables/keys.h"
#include "server/variables/vault.h"

namespace slipway::server {
namespace {

namespace fs = std::filesystem;

// The outbox writes as everybody does: through the coordinator's queue.
class OutboxThroughCoordinator final : public OutboxWriter {
 public:
  explicit OutboxThroughCoordinator(Coordinator& coordinator) : coordinator_(coordinator) {}

  Result<void> delivered(EffectId id) override {
    return write([=](WriteTransaction& open) { open.stores.outbox.delivered(id); });
  }
  Result<void> postpone(EffectId id, UnixMillis due_at, const std::string& error) override {
    return write([=](WriteTransaction& open) { open.stores.outbox.postpone(id, due_at, error); });
  }
  Result<void> abandon(EffectId id, const std::string& error) override {
    return write([=](WriteTransaction& open) { open.stores.outbox.abandon(id, open.now, error); });
  }

 private:
  template <typename Act>
  Result<void> write(Act act) {
    const auto done =
        coordinator_.write<bool>([act](WriteTransaction& transaction) -> Result<bool> {
          act(transaction);
          return true;
        });
    if (!done) return done.error();
    return {};
  }

  Coordinator& coordinator_;
};

class WakeOutbox final : public CommitObserver {
 public:
  explicit WakeOutbox(Outbox& outbox) : outbox_(outbox) {}
  void committed(const Changes& changes) noexcept override {
    if (changes.effects || changes.reloaded) outbox_.wake();
  }

 private:
  Outbox& outbox_;
};

Result<void> make_directory(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed)
    return errno_error("cannot make the directory '" + path.string() + "'", failed.value());
  if (::access(path.c_str(), W_OK) != 0)
    return errno_error("cannot write to the directory '" + path.string() + "'", errno);
  return {};
}

// The port that a listener on port 0 will get: the address is needed before it listens.
Result<std::uint16_t> free_port(const std::string& address) {
  const UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in wanted{};
  wanted.sin_family = AF_INET;
  socklen_t length = sizeof wanted;
  if (::inet_pton(AF_INET, address.c_str(), &wanted.sin_addr) != 1)
    return fail(ErrorKind::InvalidInput, "port 0 needs an IPv4 address to listen on");
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&wanted), length) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&wanted), &length) != 0)
    return errno_error("cannot listen on " + address, errno);
  return ntohs(wanted.sin_port);
}

LocalRepositories local_repositories(const ServerSettings& settings) {
  return settings.allow_local_repositories ? LocalRepositories::allowed
                                           : LocalRepositories::refused;
}

ForgeStatusOptions forge_options(const ServerSettings& settings, const std::string& url) {
  ForgeStatusOptions options;
  options.external_url = url;
  options.allow_private = settings.allow_private_forges;
  return options;
}

// With pauses of ten minutes at most: about a day.
OutboxOptions outbox_options() {
  OutboxOptions options;
  options.attempts = 150;
  return options;
}

CoordinatorOptions coordinator_options(const ServerSettings& settings) {
  CoordinatorOptions options;
  options.ack_timeout = settings.ack_timeout;
  options.lease = settings.lease;
  return options;
}

}  // namespace

// Members are made from the top down and taken apart from the bottom up.
struct Server::State {
  State(const ServerSettings& given, std::string address, const http::StaticFiles& static_files,
        Keyring loaded, TokenSigner id_tokens, std::unique_ptr<Database> opened,
        std::unique_ptr<TraceStore> logs, BlobStore artifacts, std::unique_ptr<CacheDepot> depot,
        std::vector<login::Provider> providers, const std::string& version)
      : settings(given),
        url(std::move(address)),
        files(static_files),
        keys(std::move(loaded)),
        signer(std::move(id_tokens)),
        database(std::move(opened)),
        traces(std::move(logs)),
        blobs(std::move(artifacts)),
        caches(std::move(depot)),
        metrics(version, version),
        coordinator(*database, clock, coordinator_options(given)),
        dispatch(coordinator),
        feed(*database, clock, url),
        outbox_writer(coordinator),
        forge_status(*database, clock, keys, forge_options(given, url)),
        outbox(
            *database, outbox_writer, clock,
            {{"pipeline_status", &forge_status}, {"gate_status", &forge_status}, {"", &log_target}},
            outbox_options()),
        wake_outbox(outbox),
        account_writer(coordinator),
        accounts(*database, account_writer, clock, given.data_dir),
        logins(account_writer, clock, std::move(providers), url),
        mirrors(given.data_dir / "repositories", local_repositories(given)),
        vault(*database, keys),
        planner(mirrors, vault,
                {{url, given.registry, version},
                 [this](ProjectId project) {
                   return database->read()
                       ->deployment_rules.frozen_until(project, clock.now())
                       .has_value();
                 }},
                {[this](const std::string& path) {
                   return database->read()->projects.find_by_path(path);
                 },
                 [this](UserId user, const ProjectRow& project) {
                   return may_read(*database->read(), clock.now(), user, project);
                 },
                 given.allow_private_includes, given.pipeline_limits}),
        intake(coordinator, *database, mirrors, planner, clock, keys),
        ref_watcher(coordinator, *database, mirrors, intake, clock),
        payload(*database, vault, coordinator,
                {{url, given.registry, version}, given.default_timeout, &signer}),
        downstreams(coordinator, *database, mirrors, planner, payload, blobs, clock),
        schedules(coordinator, *database, intake, clock),
        deployment_clock(coordinator, *database, clock),
        cleaner(coordinator, *database, blobs, clock),
        run_cleaner(*database, mirrors, clock, {given.run_retention, given.commit_retention}),
        payload_room(payload),
        intake_room(intake),
        project_room(mirrors, *caches, intake, forge_status, local_repositories(given)),
        git_room(mirrors, *database),
        run_room(mirrors, intake),
        services{clock,        *database,   coordinator,  dispatch, *traces,
                 blobs,        *caches,     feed,         accounts, logins,
                 payload_room, intake_room, project_room, git_room, run_room,
                 vault,        signer,      files,        metrics} {
    coordinator.observe(feed);
    coordinator.observe(wake_outbox);
    options.listener.address = given.listen_address;
    options.listener.port = given.listen_port;
    options.listener.io_threads = given.io_threads;
    options.listener.over_https = url.rfind("https://", 0) == 0;
    options.worker_threads = given.worker_threads;
    options.external_url = url;
    options.poll_hold = given.poll_hold;
    options.artifact_limit = given.artifact_limit;
    options.artifact_expiry = given.artifact_expiry;
    options.run_limit = given.run_limit;
    options.webhook_limit = given.webhook_limit;
    options.build = {version, version};
  }

  // The first start of all does not wait for it.
  void make_signing_key() {
    if (signer.has_key()) return;
    key_maker = std::jthread{[this] {
      const auto made = signer.make_first_key(keys, [this](const std::string& sealed) {
        return coordinator.write<void>([&](WriteTransaction& write) -> Result<void> {
          write.stores.settings.put(kSigningKeys, sealed);
          return {};
        });
      });
      if (!made) log::error("id_tokens.no_key", {{"error", made.error().message}});
    }};
  }

  ServerSettings settings;
  std::string url;
  const http::StaticFiles& files;
  SystemClock clock;
  Keyring keys;
  TokenSigner signer;
  std::unique_ptr<Database> database;
  std::unique_ptr<TraceStore> traces;
  BlobStore blobs;
  std::unique_ptr<CacheDepot> caches;
  telemetry::Metrics metrics;
  Coordinator coordinator;
  Dispatch dispatch;
  http::EventFeed feed;
  LogTarget log_target;
  OutboxThroughCoordinator outbox_writer;
  ForgeStatusTarget forge_status;
  Outbox outbox;
  WakeOutbox wake_outbox;
  http::CoordinatorWriter account_writer;
  auth::Accounts accounts;
  login::RemoteLogin logins;
  Mirrors mirrors;
  VariableVault vault;
  Planner planner;
  Intake intake;
  RefWatcher ref_watcher;
  JobPayload payload;
  Downstreams downstreams;
  Schedules schedules;
  DeploymentClock deployment_clock;
  ArtifactCleaner cleaner;
  RunCleaner run_cleaner;
  http::PayloadRoom payload_room;
  http::IntakeRoom intake_room;
  http::ProjectRoom project_room;
  http::GitRoom git_room;
  http::RunRoom run_room;
  http::HttpServices services;
  http::HttpOptions options;
  std::unique_ptr<http::HttpServer> http;
  std::string setup_token_file;
  bool stopped = false;
  std::jthread key_maker;  // last: it uses what stands above
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& given,
                                              const http::StaticFiles& files,
                                              const std::string& version) {
  ServerSettings settings = given;
  for (const char* name : {"", "repositories"})
    if (auto made = make_directory(settings.data_dir / name); !made) return std::move(made).error();
  settings.data_dir = fs::absolute(settings.data_dir);
  if (settings.listen_port == 0) {
    const auto port = free_port(settings.listen_address);
    if (!port) return port.error();
    settings.listen_port = *port;
  }
  auto database = Database::open(database_place(settings));
  if (!database) return std::move(database).error();
  auto keys = open_keys(key_file(settings), **database);
  if (!keys) return std::move(keys).error();
  auto signer = TokenSigner::open(**database, *keys);
  if (!signer) return std::move(signer).error();
  TraceOptions trace_options;
  trace_options.limit = settings.trace_limit;
  auto traces = TraceStore::open(settings.data_dir / "traces", trace_options);
  if (!traces) return std::move(traces).error();
  auto providers = login::read_providers(settings.login_dir);
  if (!providers) return std::move(providers).error();
  auto blobs = BlobStore::open(settings.data_dir / "artifacts");
  if (!blobs) return std::move(blobs).error();
  auto caches = CacheDepot::open(settings.data_dir / "caches",
                                 {settings.cache_size, settings.cache_project_share});
  if (!caches) return std::move(caches).error();

  const std::string url = settings.external_url.empty()
                              ? derived_external_url(settings, settings.listen_port)
                              : settings.external_url;
  auto state = std::make_unique<State>(settings, url, files, std::move(*keys), std::move(*signer),
                                       std::move(*database), std::move(*traces), std::move(*blobs),
                                       std::move(*caches), std::move(*providers), version);
  state->coordinator.start();
  state->make_signing_key();
  auto token_file = state->accounts.prepare_setup();
  if (!token_file) return std::move(token_file).error();
  state->setup_token_file = std::move(*token_file);
  state->mirrors.remove_upload_files();
  auto http = http::HttpServer::start(state->options, state->services);
  if (!http) return std::move(http).error();
  state->http = std::move(*http);
  state->outbox.start();
  state->intake.start();
  state->ref_watcher.start();
  state->downstreams.start();
  state->schedules.start();
  state->deployment_clock.start();
  state->cleaner.start();
  state->run_cleaner.start();
  return std::unique_ptr<Server>{new Server{std::move(state)}};
}

const std::string& Server::url() const {
  return state_->url;
}
const std::string& Server::setup_token_file() const {
  return state_->setup_token_file;
}

void Server::stop() {
  if (!state_ || state_->stopped) return;
  state_->stopped = true;
  state_->dispatch.stop();
  state_->mirrors.stop();  // so that nobody waits for a slow git host
  if (state_->key_maker.joinable()) state_->key_maker.join();
  state_->http->stop();
  state_->schedules.stop();
  state_->deployment_clock.stop();
  state_->cleaner.stop();
  state_->run_cleaner.stop();
  state_->ref_watcher.stop();
  state_->intake.stop();
  state_->downstreams.stop();
  state_->outbox.stop();
  state_->coordinator.stop();
  state_->feed.stop();
  state_->http.reset();
}

}  // namespace slipway::server
