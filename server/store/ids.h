// The numbers of things, as types that cannot be mistaken for one another. 0 is "none".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace slipway::server {

template <typename Tag>
struct Id {
  std::int64_t value = 0;

  auto operator<=>(const Id&) const = default;  // NOLINT(modernize-use-nullptr): there is none
  explicit operator bool() const { return value != 0; }
};

using ProjectId = Id<struct ProjectTag>;
using PipelineId = Id<struct PipelineTag>;
using JobId = Id<struct JobTag>;
using PlanId = Id<struct PlanTag>;
using RunnerId = Id<struct RunnerTag>;
using UserId = Id<struct UserTag>;
using TokenId = Id<struct TokenTag>;
using DeliveryId = Id<struct DeliveryTag>;
using ArtifactId = Id<struct ArtifactTag>;
using EffectId = Id<struct EffectTag>;
using VariableId = Id<struct VariableTag>;
using ScheduleId = Id<struct ScheduleTag>;
using ScheduleRunId = Id<struct ScheduleRunTag>;
using TriggerTokenId = Id<struct TriggerTokenTag>;
using ResourceGroupId = Id<struct ResourceGroupTag>;
using EnvironmentId = Id<struct EnvironmentTag>;
using DeploymentId = Id<struct DeploymentTag>;
using ApprovalId = Id<struct ApprovalTag>;
using FreezePeriodId = Id<struct FreezePeriodTag>;

}  // namespace slipway::server

template <typename Tag>
struct std::hash<slipway::server::Id<Tag>> {
  std::size_t operator()(slipway::server::Id<Tag> id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
