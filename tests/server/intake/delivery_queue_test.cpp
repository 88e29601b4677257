#include "server/intake/delivery_queue.h"

#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using std::chrono::seconds;

const DeliveryQueue::Time kNow{seconds{1000}};

DeliveryQueue::Entry entry(std::int64_t delivery, std::int64_t project,
                           const std::string& host = "one.example") {
  return {DeliveryId{delivery}, ProjectId{project}, host};
}

std::int64_t taken(DeliveryQueue& queue, DeliveryQueue::Time now = kNow) {
  const auto got = queue.take(now);
  return got ? got->delivery.value : 0;
}

}  // namespace

TEST_CASE("deliveries of one project follow one another", "[intake]") {
  DeliveryQueue queue{3};
  queue.push(entry(1, 7));
  queue.push(entry(2, 7));
  const auto first = queue.take(kNow);
  REQUIRE(first);
  CHECK(first->delivery.value == 1);
  CHECK(taken(queue) == 0);
  queue.done(*first);
  CHECK(taken(queue) == 2);
}

TEST_CASE("a project does not wait for another, and they take turns", "[intake]") {
  DeliveryQueue queue{9};
  for (std::int64_t i = 1; i <= 3; ++i) queue.push(entry(i, 7));
  queue.push(entry(4, 8));
  const auto first = queue.take(kNow);
  CHECK(first->delivery.value == 1);
  queue.done(*first);
  CHECK(taken(queue) == 4);  // before the second of 7
  queue.push(entry(5, 9));
  CHECK(taken(queue) == 2);
  CHECK(taken(queue) == 5);  // while 7 and 8 are busy
  CHECK(taken(queue) == 0);
}

TEST_CASE("one git host keeps only some of the workers busy", "[intake]") {
  DeliveryQueue queue{2};
  for (std::int64_t project = 1; project <= 4; ++project) queue.push(entry(project, project));
  queue.push(entry(5, 5, "two.example"));
  const auto first = queue.take(kNow);
  CHECK(taken(queue) == 2);
  CHECK(taken(queue) == 5);
  CHECK(taken(queue) == 0);
  CHECK_FALSE(queue.next_due(kNow));
  queue.done(*first);
  CHECK(taken(queue) == 3);
}

TEST_CASE("repositories on this machine are no git host", "[intake]") {
  DeliveryQueue queue{1};
  queue.push(entry(1, 1, ""));
  queue.push(entry(2, 2, ""));
  CHECK(taken(queue) == 1);
  CHECK(taken(queue) == 2);
}

TEST_CASE("what is put back rests and comes before those behind it", "[intake]") {
  DeliveryQueue queue{3};
  queue.push(entry(1, 7));
  queue.push(entry(2, 7));
  queue.push(entry(3, 8));
  const auto first = queue.take(kNow);
  queue.put_back(*first, kNow + seconds{4});
  CHECK(taken(queue) == 3);
  CHECK(taken(queue) == 0);
  CHECK(queue.next_due(kNow) == kNow + seconds{4});
  const auto again = queue.take(kNow + seconds{4});
  REQUIRE(again);
  CHECK(again->delivery.value == 1);
  CHECK(again->failures == 1);
  CHECK_FALSE(queue.next_due(kNow + seconds{4}));
  queue.done(*again);
  CHECK(taken(queue) == 2);
}

TEST_CASE("what is due and waits for its host is not waited for by time", "[intake]") {
  DeliveryQueue queue{1};
  queue.push(entry(1, 7));
  queue.push(entry(2, 8));
  const auto first = queue.take(kNow);
  queue.put_back(*first, kNow + seconds{1});
  CHECK(taken(queue) == 2);
  CHECK(taken(queue, kNow + seconds{1}) == 0);
  CHECK_FALSE(queue.next_due(kNow + seconds{1}));
}

TEST_CASE("the host of a repository is found in each form of address", "[intake]") {
  CHECK(host_of_repository("https://Git.Example/group/name.git") == "git.example");
  CHECK(host_of_repository("https://user@git.example:8443/x") == "git.example");
  CHECK(host_of_repository("ssh://git@git.example:22/x") == "git.example");
  CHECK(host_of_repository("git@git.example:group/name.git") == "git.example");
  CHECK(host_of_repository("https://[::1]:8443/x") == "[::1");
  CHECK(host_of_repository("/srv/git/name.git").empty());
}

}  // namespace slipway::server
