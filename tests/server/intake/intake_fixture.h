// An intake over a real coordinator and real git repositories.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "server/intake/intake.h"
#include "tests/server/coordinator/coordinator_fixture.h"
#include "tests/server/forge/calls.h"
#include "tests/server/git/git_repository.h"
#include "tests/support/catch.h"

namespace slipway::server::test {

struct IntakeFixture : CoordinatorFixture {
  GitRepository remote;
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};
  Keyring keys{{std::string(32, 'k')}};
  VariableVault vault{*database, keys};
  Planner planner{mirrors, vault, {{"https://ci.example", "", "1.0"}}};
  ProjectRow hooked;
  std::unique_ptr<Intake> intake;

  IntakeFixture() {
    coordinator->start();
    intake = make_intake(mirrors, planner);
    hooked = add_project("group/hooked", remote.url());
  }
  ~IntakeFixture() {
    intake.reset();
    coordinator->stop();
  }
  IntakeFixture(const IntakeFixture&) = delete;
  IntakeFixture& operator=(const IntakeFixture&) = delete;

  static constexpr const char* kSecret = "hook secret";

  std::unique_ptr<Intake> make_intake(Mirrors& used, Planner& plans) {
    return std::make_unique<Intake>(*coordinator, *database, used, plans, clock, keys);
  }
  ProjectRow add_project(const std::string& path, const std::string& url) {
    ProjectRow row;
    row.path = path;
    row.repository_url = url;
    row.webhook_secret = intake->seal_webhook_secret(kSecret);
    auto id = coordinator->write<ProjectId>([&](WriteTransaction& write) -> Result<ProjectId> {
      return write.stores.projects.insert(row);
    });
    REQUIRE(id);
    row.id = *id;
    return row;
  }
  // An environment that was deployed to from that branch or tag.
  EnvironmentId environment_of(const std::string& ref, bool tag) {
    const auto made =
        coordinator->write<EnvironmentId>([&](WriteTransaction& write) -> Result<EnvironmentId> {
          PipelineRow pipeline;
          pipeline.project_id = hooked.id;
          pipeline.ref = ref;
          pipeline.tag = tag;
          write.stores.pipelines.insert(pipeline, {});
          JobRow job;
          job.pipeline_id = pipeline.id;
          job.project_id = hooked.id;
          job.plan_id = write.stores.jobs.insert_plan("{}");
          job.status = "success";
          write.stores.jobs.insert(job);
          EnvironmentRow environment;
          environment.project_id = hooked.id;
          environment.name = environment.slug = "review/" + std::to_string(job.id.value);
          write.stores.environments.insert(environment);
          DeploymentRow deployment;
          deployment.project_id = hooked.id;
          deployment.environment_id = environment.id;
          deployment.job_id = job.id;
          deployment.pipeline_id = pipeline.id;
          deployment.ref = ref;
          deployment.tag = tag;
          write.stores.deployments.insert(deployment);
          return environment.id;
        });
    REQUIRE(made);
    return *made;
  }
  // Once what the coordinator was asked for before is done.
  std::string state_of(EnvironmentId id) {
    REQUIRE(coordinator->write<bool>([](WriteTransaction&) -> Result<bool> { return true; }));
    return database->read()->environments.find(id)->state;
  }
  std::string commit(const std::string& yaml, const std::string& message = "Change") {
    remote.write(".gitlab-ci.yml", yaml);
    return remote.commit(message);
  }
  Result<ReceivedHook> receive(const Call& call) { return receive(call, hooked); }
  Result<ReceivedHook> receive(const Call& call, const ProjectRow& project) {
    return intake->receive_hook(project, lookup(call.headers), call.body);
  }
  DeliveryRow row_of_delivery(DeliveryId id) {
    auto row = database->read()->deliveries.find(id);
    REQUIRE(row);
    return *row;
  }
  // The delivery once `ready` holds for it.
  template <typename Ready>
  DeliveryRow delivery_when(DeliveryId id, Ready ready) {
    for (int i = 0; i < 2000; ++i) {
      DeliveryRow row = row_of_delivery(id);
      if (ready(row)) return row;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    FAIL("the delivery was never worked on");
    return {};
  }
  DeliveryRow settled(DeliveryId id) {
    return delivery_when(id, [](const DeliveryRow& row) { return row.verdict != "accepted"; });
  }
  std::vector<DeliveryRow> deliveries() {
    return database->read()->deliveries.list(hooked.id, {}).rows;
  }
  PipelineRow pipeline_of(const DeliveryRow& delivery) {
    REQUIRE(delivery.pipeline_id);
    return *database->read()->pipelines.find(*delivery.pipeline_id);
  }
};

}  // namespace slipway::server::test
