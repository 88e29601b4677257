#include "base/public_fetch.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/http_client.h"

namespace slipway {
namespace {

using Bytes = std::array<unsigned char, 16>;
using Clock = std::chrono::steady_clock;

constexpr int kMostRedirects = 3;
constexpr std::chrono::milliseconds kSlack{20};
constexpr const char* kLoopback = "Requests to localhost are not allowed";
constexpr const char* kLocal = "Requests to the local network are not allowed";
constexpr const char* kLinkLocal = "Requests to the link local network are not allowed";
constexpr const char* kSpecial = "Requests to special addresses are not allowed";

struct Network {
  const char* address;
  int bits;
  const char* why;
};

constexpr std::array kNetworks4{
    Network{"0.0.0.0", 8, kLoopback},       Network{"127.0.0.0", 8, kLoopback},
    Network{"10.0.0.0", 8, kLocal},         Network{"172.16.0.0", 12, kLocal},
    Network{"192.168.0.0", 16, kLocal},     Network{"100.64.0.0", 10, kLocal},
    Network{"169.254.0.0", 16, kLinkLocal}, Network{"192.0.0.0", 24, kSpecial},
    Network{"192.0.2.0", 24, kSpecial},     Network{"192.88.99.0", 24, kSpecial},
    Network{"198.18.0.0", 15, kLocal},      Network{"198.51.100.0", 24, kSpecial},
    Network{"203.0.113.0", 24, kSpecial},   Network{"224.0.0.0", 4, kSpecial},
    Network{"240.0.0.0", 4, kSpecial},
};
constexpr std::array kNetworks6{
    Network{"::", 128, kLoopback},       Network{"::1", 128, kLoopback},
    Network{"fe80::", 10, kLinkLocal},   Network{"fec0::", 10, kLocal},
    Network{"fc00::", 7, kLocal},        Network{"ff00::", 8, kSpecial},
    Network{"2001:db8::", 32, kSpecial}, Network{"100::", 64, kSpecial},
};
// Networks that carry an IPv4 address inside, and at which byte.
struct Carrier {
  const char* address;
  int bits;
  std::size_t at;
};
constexpr std::array kCarriers{
    Carrier{"::ffff:0:0", 96, 12},  // mapped
    Carrier{"::", 96, 12},          // compatible
    Carrier{"64:ff9b::", 96, 12},   // NAT64
    Carrier{"2002::", 16, 2},       // 6to4
};
// Teredo and local NAT64 can stand for any address.
constexpr std::array kOpaque{Network{"2001::", 32, kSpecial}, Network{"64:ff9b:1::", 48, kSpecial}};

Bytes parsed(int family, const char* text) {
  Bytes bytes{};
  ::inet_pton(family, text, bytes.data());
  return bytes;
}

bool is_inside(const Bytes& address, const Bytes& network, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(network.begin(), network.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.begin()))
    return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<unsigned char>(0xFFU << (8U - static_cast<unsigned>(bits % 8)));
  return (address[whole] & mask) == (network[whole] & mask);
}

template <typename Networks>
const char* why_inside(int family, const Bytes& address, const Networks& networks) {
  for (const Network& network : networks)
    if (is_inside(address, parsed(family, network.address), network.bits)) return network.why;
  return "";
}

std::string why_not_public_6(const Bytes& address) {
  std::string why = why_inside(AF_INET6, address, kNetworks6);
  if (why.empty()) why = why_inside(AF_INET6, address, kOpaque);
  for (const Carrier& carrier : kCarriers) {
    if (!why.empty() || !is_inside(address, parsed(AF_INET6, carrier.address), carrier.bits))
      continue;
    Bytes inner{};
    std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(carrier.at), 4, inner.begin());
    why = why_inside(AF_INET, inner, kNetworks4);
  }
  return why;
}

struct Url {
  std::string scheme;
  std::string host;    // without brackets
  std::string origin;  // scheme://host:port
  std::string target;
};

// Strict on purpose: what two readers could take for two hosts is refused.
std::optional<Url> parse_url(const std::string& text) {
  Url url;
  for (const char* scheme : {"http", "https"})
    if (text.rfind(std::string{scheme} + "://", 0) == 0) url.scheme = scheme;
  if (url.scheme.empty()) return std::nullopt;
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F;
  });
  if (!printable || text.find('\\') != std::string::npos) return std::nullopt;
  const std::size_t begin = url.scheme.size() + 3;
  const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
  const std::string authority = text.substr(begin, end - begin);
  url.target = text.substr(end, text.find('#', end) - end);
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, "/");
  std::string port;
  if (!authority.empty() && authority.front() == '[') {
    const auto close = authority.find(']');
    if (close == std::string::npos) return std::nullopt;
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
    const bool plain = std::all_of(url.host.begin(), url.host.end(), [](char c) {
      return (std::isalnum(static_cast<unsigned char>(c)) != 0) || c == '.' || c == '-' || c == '_';
    });
    if (!plain) return std::nullopt;
  }
  const bool sound_port =
      port.empty() ||
      (port.size() > 1 && port.size() <= 6 && port.front() == ':' &&
       std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (url.host.empty() || url.host.size() > 253 || !sound_port) return std::nullopt;
  url.origin = url.scheme + "://" + authority;
  return url;
}

Result<std::vector<std::string>> addresses_of(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0)
    return fail(ErrorKind::Unavailable, "a socket error")
        .with_hint("the name '" + host + "' is not known");
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned{list, &::freeaddrinfo};
  std::vector<std::string> addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0)
      addresses.emplace_back(text.data());
  }
  if (addresses.empty()) return fail(ErrorKind::Unavailable, "a socket error");
  return addresses;
}

// The address to connect to.
Result<std::string> checked_address(const Url& url, const PublicFetchOptions& options) {
  const auto addresses = addresses_of(url.host);
  if (!addresses) return addresses.error();
  for (const std::string& address : *addresses)
    if (const std::string why = why_not_public(address); !options.allow_private && !why.empty())
      return fail(ErrorKind::Denied, why)
          .with_hint("'" + url.host + "' is " + address + ", which is not a public address");
  return addresses->front();
}

// Ends a call when the time is over, however slowly the bytes drip.
class Deadline {
 public:
  Deadline(HttpClient& client, Clock::time_point end)
      : thread_([this, &client, end](const std::stop_token& stop) {
          std::unique_lock lock{mutex_};
          if (!wake_.wait_until(lock, stop, end, [] { return false; }) && !stop.stop_requested())
            client.interrupt();
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

Result<HttpResponse> ask(const Url& url, HttpRequest request, const std::string& address,
                         Clock::time_point end, const PublicFetchOptions& options) {
  const auto timeout = fail(ErrorKind::Unavailable, "a timeout error");
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  if (left.count() <= 0) return timeout;
  HttpClientOptions how;
  how.connect_timeout = left;
  how.read_timeout = left;
  how.body_limit = options.limit;
  how.connect_to = address;
  auto client = HttpClient::create(url.origin, how);
  if (!client) return fail(ErrorKind::InvalidInput, client.error().message);
  request.target = url.target;
  auto answer = [&] {
    const Deadline deadline{*client, end};
    return client->send(request);
  }();
  if (answer) return answer;
  if (answer.error().kind == ErrorKind::TooLarge)
    return fail(ErrorKind::TooLarge,
                "its size, which is above " + std::to_string(options.limit) + " bytes");
  // The client's own time-outs are a little ahead of ours.
  if (Clock::now() + kSlack >= end) return timeout;
  return fail(ErrorKind::Unavailable, "a socket error").with_hint(answer.error().message);
}

// Where a redirect leads; a path is looked up at the same origin.
std::string redirected(const Url& from, const std::string& location) {
  if (!location.empty() && location.front() == '/' && location.rfind("//", 0) != 0)
    return from.origin + location;
  return location;
}

}  // namespace

std::string why_not_public(std::string_view address) {
  // A scope ("fe80::1%eth0") does not change what kind of address it is.
  const std::string text{address.substr(0, address.find('%'))};
  Bytes bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1)
    return why_inside(AF_INET, bytes, kNetworks4);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return why_not_public_6(bytes);
  return kSpecial;
}

Result<std::string> fetch_public(const std::string& url, const PublicFetchOptions& options) {
  const auto end = Clock::now() + options.deadline;
  std::string next = url;
  bool secure = false;
  for (int hop = 0; hop <= kMostRedirects; ++hop) {
    const auto parsed_url = parse_url(next);
    if (!parsed_url && hop > 0)
      return fail(ErrorKind::Denied, "a redirect leads to '" + next + "'");
    if (!parsed_url)
      return fail(ErrorKind::InvalidInput, "'" + url + "' is no address")
          .with_hint("write it as https://host/path.yml");
    if (secure && parsed_url->scheme != "https")
      return fail(ErrorKind::Denied, "a redirect leads from https to http");
    secure = parsed_url->scheme == "https";
    const auto address = checked_address(*parsed_url, options);
    if (!address) return address.error();
    auto answer = ask(*parsed_url, {}, *address, end, options);
    if (!answer) return std::move(answer).error();
    if (answer->status >= 200 && answer->status < 300) return std::move(answer->body);
    const auto location = answer->header("Location");
    if (answer->status < 300 || answer->status >= 400 || !location)
      return fail(ErrorKind::NotFound, "HTTP code `" + std::to_string(answer->status) + "` error");
    next = redirected(*parsed_url, *location);
  }
  return fail(ErrorKind::Unavailable, "too many redirects");
}

Result<HttpResponse> send_public(const std::string& url, HttpRequest request,
                                 const PublicFetchOptions& options) {
  const auto parsed_url = parse_url(url);
  if (!parsed_url)
    return fail(ErrorKind::InvalidInput, "'" + url + "' is no address")
        .with_hint("write it as https://host/path");
  const auto end = Clock::now() + options.deadline;
  const auto address = checked_address(*parsed_url, options);
  if (!address) return address.error();
  return ask(*parsed_url, std::move(request), *address, end, options);
}

}  // namespace slipway
