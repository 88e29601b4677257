// A project for the simulator: a few pipelines that share resource groups, in a world that does
// what a coordinator does. Each event is followed by a check of everything that must hold whatever
// happens; the first thing that does not is thrown as Broken.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/resource_group.h"

namespace slipway::pipeline::test {

struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class SimulatedProject {
 public:
  explicit SimulatedProject(ProcessMode mode) : mode_(mode) {}

  struct Member {
    std::int64_t id = 0;
    PipelineState state;
  };

  // Begins the pipeline. Jobs are named "0", "1", …; their ids are given here.
  void add(PipelineState state);
  // False when it was refused; then nothing has changed.
  bool happen(std::size_t member, const Event& event);

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  // What happened so far, one event a line.
  [[nodiscard]] std::string story() const;

 private:
  struct Happened {
    std::int64_t pipeline = 0;
    Event event;
    bool accepted = false;
  };

  bool act(std::size_t member, const Event& event);
  void grant();
  void follow(Member& member, std::vector<Transition>& transitions);
  void watch_runners(const Member& member, const JobNode& job, const Transition& transition);
  static void check_turn(const Member& member, const JobNode& job, const Transition& transition);
  static void check(const Member& member);
  static void check_skipped(const Member& member);
  void check_groups() const;
  [[nodiscard]] std::map<std::string, std::vector<Claim>> claims() const;

  ProcessMode mode_;
  std::vector<Member> members_;
  std::vector<Happened> story_;
  std::set<std::pair<std::int64_t, std::string>> running_;  // pipeline and name
  std::int64_t next_id_ = 1;
};

}  // namespace slipway::pipeline::test
