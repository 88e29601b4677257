#include "server/settings/server_settings.h"

#include <charconv>
#include <iterator>

namespace slipway::server {
namespace {

std::string set_listen(ServerSettings& settings, const std::string& text) {
  std::string expected = "an address and a port, as 127.0.0.1:8080 or [::1]:8080";
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return expected;
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end || port > 65535) return expected;
  settings.listen_address = host;
  settings.listen_port = static_cast<std::uint16_t>(port);
  return {};
}

std::string set_external_url(ServerSettings& settings, const std::string& text) {
  if (text.rfind("http://", 0) != 0 && text.rfind("https://", 0) != 0)
    return "an address that begins with http:// or https://";
  settings.external_url = text;
  while (settings.external_url.back() == '/') settings.external_url.pop_back();
  return {};
}

auto seconds_row(std::chrono::seconds& target, long long least, long long most) {
  return [&target, least, most](const std::string& text) -> std::string {
    const auto seconds = parse_seconds(text);
    if (!seconds || *seconds < least || *seconds > most)
      return "a time from " + std::to_string(least) + "s to " + std::to_string(most) + "s";
    target = std::chrono::seconds{*seconds};
    return {};
  };
}

auto bytes_row(long long& target, long long least) {
  return [&target, least](const std::string& text) -> std::string {
    const auto bytes = parse_bytes(text);
    if (!bytes || *bytes < least)
      return "a size of at least " + std::to_string(least) + " bytes, as 100M";
    target = *bytes;
    return {};
  };
}

auto flag_row(bool& target) {
  return [&target](const std::string& text) -> std::string {
    if (text != "true" && text != "false") return "true or false";
    target = text == "true";
    return {};
  };
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

}  // namespace

std::vector<Setting> settings_table(ServerSettings& s) {
  std::vector<Setting> table{
      {"listen", "address and port to listen on", "127.0.0.1:8080",
       [&s](const std::string& text) { return set_listen(s, text); }},
      {"data_dir", "directory of the database, logs, artifacts and mirrors", "./var",
       [&s](const std::string& text) {
         s.data_dir = text;
         return text.empty() ? std::string{"a directory"} : std::string{};
       }},
      {"key_file", "file of the keys that seal secrets in the database (<data_dir>/secret.key)", "",
       [&s](const std::string& text) {
         s.key_file = text;
         return std::string{};
       }},
      {"login_dir", "directory with a file for each other site through which people log in", "",
       [&s](const std::string& text) {
         s.login_dir = text;
         return std::string{};
       }},
      {"external_url", "address under which people and runners reach the server (http://<listen>)",
       "", [&s](const std::string& text) { return set_external_url(s, text); }},
      {"registry", "registry and prefix of CI_REGISTRY_IMAGE, as registry.example.com/ci", "",
       [&s](const std::string& text) {
         s.registry = text;
         return text.find("://") == std::string::npos ? std::string{}
                                                      : std::string{"a host without a scheme"};
       }},
      {"log_level", "debug, info, warn or error", "info",
       parsed_row(s.log_level, log::parse_level, "debug, info, warn or error")},
      {"log_format", "text or json", "text",
       parsed_row(s.log_format, log::parse_format, "text or json")},
      {"poll_hold", "how long a runner's request for a job is held", "30s",
       seconds_row(s.poll_hold, 0, 300)},
      {"ack_timeout", "after which a job that no runner took up goes back to the queue", "30s",
       seconds_row(s.ack_timeout, 1, 3600)},
      {"lease", "silence after which a runner counts as lost", "90s",
       seconds_row(s.lease, 2, 86400)},
      {"default_timeout", "time-out of a job that names none", "1h",
       seconds_row(s.default_timeout, 1, 2'592'000)},
      {"trace_limit", "longest log of a job", "100M", bytes_row(s.trace_limit, 1024)},
      {"artifact_limit", "largest artifact", "1G", bytes_row(s.artifact_limit, 1024)},
      {"artifact_expiry", "after which artifacts expire that name no `expire_in`; 0 is never",
       "30d", seconds_row(s.artifact_expiry, 0, 315'360'000)},
      {"webhook_limit", "largest webhook delivery", "5M", bytes_row(s.webhook_limit, 1024)},
      {"run_limit", "most that `slipway run --server` may send of a work tree", "100M",
       bytes_row(s.run_limit, 1024)},
      {"run_retention", "how long such a work tree is kept after its pipeline has ended", "7d",
       seconds_row(s.run_retention, 60, 315'360'000)},
      {"io_threads", "threads that move bytes", "1", count_row(s.io_threads, 1, 64)},
      {"worker_threads", "threads for work that blocks", "8", count_row(s.worker_threads, 1, 256)},
      {"allow_local_repositories", "whether projects may name a path on this machine", "false",
       flag_row(s.allow_local_repositories)},
      {"allow_private_includes",
       "whether `include: remote` may reach loopback, private and link-local addresses", "false",
       flag_row(s.allow_private_includes)},
      {"allow_private_forges",
       "whether git hosts may be told of pipelines on such addresses, and without TLS", "false",
       flag_row(s.allow_private_forges)},
  };
  auto limits = pipeline::limit_settings(s.pipeline_limits);
  std::move(limits.begin(), limits.end(), std::back_inserter(table));
  return table;
}

std::filesystem::path key_file(const ServerSettings& settings) {
  return settings.key_file.empty() ? settings.data_dir / "secret.key" : settings.key_file;
}

Result<void> finish_settings(ServerSettings& settings, bool allow_insecure_listen) {
  if (!is_loopback(settings.listen_address) && !allow_insecure_listen &&
      settings.external_url.rfind("https://", 0) != 0)
    return fail(ErrorKind::InvalidInput, "listening on '" + settings.listen_address +
                                             "' would carry passwords and tokens in clear text")
        .with_hint(
            "put a TLS proxy in front and set external_url to its https:// address, or pass "
            "--allow-insecure-listen");
  return {};
}

std::string derived_external_url(const ServerSettings& settings, std::uint16_t port) {
  const bool is_v6 = settings.listen_address.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + settings.listen_address + "]" : settings.listen_address;
  return "http://" + host + ":" + std::to_string(port);
}

}  // namespace slipway::server
