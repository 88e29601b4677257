// Files from addresses that somebody else chose: fetched so that nothing behind our own network can
// be reached through us.
//
// Only http and https. A name is resolved once, every address that it has must be public, and the
// connection goes to the address that was looked at, so a second answer of the name server changes
// nothing. The same holds for each redirect. Size and time are bounded. Blocks; thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

struct HttpRequest;  // of base/http_client.h
struct HttpResponse;

struct PublicFetchOptions {
  bool allow_private = false;  // also loopback, private and link-local addresses
  std::size_t limit = std::size_t{1} << 20U;
  std::chrono::milliseconds deadline{std::chrono::seconds{10}};  // for all of it
};

// The body of a GET that was answered with 2xx. Denied: the address may not be asked, the message
// says why. InvalidInput: `url` is no such address. Otherwise the message ends the sentence "could
// not be fetched because of …".
Result<std::string> fetch_public(const std::string& url, const PublicFetchOptions& options = {});

// One call to such an address, for those who send something there. Redirects are not followed: any
// answer is a value. Errors as above.
Result<HttpResponse> send_public(const std::string& url, HttpRequest request,
                                 const PublicFetchOptions& options = {});

// Why the numeric address (IPv4 or IPv6) is not public; "" when it is. What is no address is not.
std::string why_not_public(std::string_view address);

}  // namespace slipway
