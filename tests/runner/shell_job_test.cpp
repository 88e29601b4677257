// Whole jobs of the shell executor, from hand-over to result.

#include <spdlog/fmt/fmt.h>
#include <chrono>
#include <fstream>

#include "base/crypto.h"
#include "runner/job_processes.h"
#include "tests/runner/git_remote.h"
#include "tests/runner/job_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::JobBench;
namespace fs = std::filesystem;

namespace {

// Without an end, and heard of often: a runner learns from the answers that a job is canceled.
constexpr const char* kTalk = "echo begun; while true; do echo tick; sleep 0.1; done";

struct ShellBench : JobBench {
  ShellBench() : JobBench(ExecutorKind::Shell) {}
};

// Whether the process whose number stands in `file` ends within ten seconds.
bool is_gone(const fs::path& file) {
  const auto text = read_file(file);
  REQUIRE(text);
  const int pid = std::stoi(*text);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (std::chrono::steady_clock::now() < until) {
    std::ifstream status{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number, name, state;
    // Nobody may be there to reap it.
    if (!(status >> number >> name >> state) || state == "Z") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return false;
}

}  // namespace

TEST_CASE("a job succeeds and leaves only its tree", "[job]") {
  ShellBench bench;

  const auto result = bench.run(JobBench::job({"echo hello > file", "echo from $PWD"}));

  CHECK(result["state"] == "success");
  CHECK_FALSE(result.contains("failure_reason"));
  CHECK(bench.logged("\nfrom " + bench.project().string() + "\n"));
  CHECK(bench.logged("Job succeeded"));
  CHECK(read_file(bench.project() / "file").value_or("") == "hello\n");
  // What stands beside it is kept for the next job, without a byte of this one.
  CHECK(fs::is_empty(bench.project().string() + ".tmp"));
  for (const auto& left : fs::directory_iterator{bench.project().string() + ".run"})
    CHECK(fs::is_empty(left));
}

TEST_CASE("a job fails with its script's exit code", "[job]") {
  ShellBench bench;

  const auto result = bench.run(JobBench::job({"exit 42", "echo never"}));

  CHECK(result["state"] == "failed");
  CHECK(result["failure_reason"] == "script_failure");
  CHECK(result["exit_code"] == 42);
  CHECK(bench.logged("ERROR: Job failed: exit code 42"));
}

TEST_CASE("secrets do not show in the log", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"echo the $SECRET is", "echo glpat-abcdef"});
  pipeline::JobVariable secret{"SECRET", "hunter2-hunter2"};
  secret.masked = true;
  spec.variables.push_back(secret);
  spec.token_mask_prefixes = {"glpat-"};

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(bench.logged("the [MASKED] is"));
  CHECK_FALSE(bench.logged("hunter2-hunter2"));
  CHECK(bench.logged("glpat-[MASKED]"));
  CHECK_FALSE(bench.logged("abcdef"));
}

TEST_CASE("variables reach the job as they are, and never run", "[job]") {
  for (const std::string& value :
       {std::string{"$(touch pwn)"}, std::string{"`touch pwn`"}, std::string{"a\nb\n"},
        std::string{"%0A"}, std::string{"'\"; touch pwn #"}, std::string{"-n --flag"},
        std::string(64 << 10, 'y')}) {
    CAPTURE(value.substr(0, 50));
    ShellBench bench;
    auto spec = JobBench::job({"printf %s \"$CI_COMMIT_TITLE\" > value"});
    pipeline::JobVariable title{"CI_COMMIT_TITLE", value};
    title.raw = true;
    spec.variables.push_back(title);

    CHECK(bench.run(spec)["state"] == "success");

    CHECK(read_file(bench.project() / "value").value_or("") == value);
    CHECK_FALSE(fs::exists(bench.project() / "pwn"));
  }
}

TEST_CASE("variables named like the runner's own reach the job alone", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"true"});
  const auto canary = (bench.directory / "canary").string();
  REQUIRE(replace_file(bench.directory / "env", "touch " + canary + "\n"));
  spec.variables.push_back({"BASH_ENV", (bench.directory / "env").string()});
  spec.variables.push_back({"PATH", "/nowhere"});
  spec.variables.push_back({"LD_PRELOAD", "/nowhere.so"});
  spec.variables[0].value = "fetch";
  spec.sha = std::string(40, 'a');
  spec.repo_url = bench.server.url() + "/none.git";

  const auto result = bench.run(spec);

  // git was found and run, though there is nothing to fetch.
  CHECK(result["failure_reason"] == "runner_system_failure");
  CHECK(bench.logged("git fetch failed with exit code 128"));
  CHECK_FALSE(bench.logged("LD_PRELOAD"));
  CHECK_FALSE(fs::exists(canary));
}

TEST_CASE("a file variable is a file that only the job's user can read", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"cat \"$KEY\"", "stat -c 'mode %a' \"$KEY\" \"$(dirname \"$KEY\")\""});
  pipeline::JobVariable key{"KEY", "line 1\nline $HOME\n"};
  key.file = true;
  spec.variables.push_back(key);

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(bench.logged("line 1\nline $HOME\n"));
  CHECK(bench.logged("mode 600\nmode 700\n"));
}

TEST_CASE("after_script runs whatever became of the script, and knows it", "[job]") {
  const auto status_after = [](const std::string& command) {
    ShellBench bench;
    auto spec = JobBench::job({command}, {"echo status=$CI_JOB_STATUS", "exit 5"});
    spec.variables.push_back({"CI_JOB_STATUS", "mine"});
    const auto result = bench.run(spec);
    const std::string log = bench.server.log();
    CHECK(log.find("after_script failed, but the job continues: exit code 5") != std::string::npos);
    const auto at = log.find("\nstatus=") + 8;
    return log.substr(at, log.find('\n', at) - at) + " " + result["state"].get<std::string>();
  };
  CHECK(status_after("true") == "success success");
  CHECK(status_after("exit 3") == "failed failed");
}

TEST_CASE("a job ends at its time", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"echo $$ > ../pid", "sleep 1000"}, {"echo not-run"});
  spec.timeout = 1;

  const auto result = bench.run(spec);

  CHECK(result["failure_reason"] == "job_execution_timeout");
  CHECK(bench.logged("execution took longer than 1 seconds"));
  CHECK_FALSE(bench.logged("\nnot-run"));
  CHECK(is_gone(bench.project() / "../pid"));
}

TEST_CASE("a canceled job leaves no process and runs its after_script", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"sleep 1000 & echo $! > ../background", "echo $$ > ../pid", kTalk},
                            {"echo status=$CI_JOB_STATUS"});

  const auto result = bench.run(spec, [&] {
    bench.wait_for("\nbegun\n");
    bench.server.set_job_status("canceling");
  });

  CHECK(result["state"] == "failed");
  CHECK(bench.logged("\nstatus=canceled\n"));
  CHECK(bench.logged("canceled"));
  CHECK(is_gone(bench.project() / "../pid"));
  CHECK(is_gone(bench.project() / "../background"));
}

TEST_CASE("a job that was taken away is stopped and not reported", "[job]") {
  ShellBench bench;

  const auto result = bench.run(JobBench::job({"echo $$ > ../pid", kTalk}), [&] {
    bench.wait_for("\nbegun\n");
    bench.server.set_job_status("failed");
  });

  CHECK(result.is_null());
  CHECK(is_gone(bench.project() / "../pid"));
}

TEST_CASE("a stopping runner says so of its job", "[job]") {
  ShellBench bench;

  const auto result = bench.run(JobBench::job({"echo begun; sleep 1000"}), [&] {
    bench.wait_for("\nbegun\n");
    bench.stop.request_stop();
  });

  CHECK(result["failure_reason"] == "runner_interrupted");
  CHECK(bench.logged("the runner was stopped"));
}

TEST_CASE("nobody waits for what a script left in the background", "[job]") {
  ShellBench bench;

  const auto result =
      bench.run(JobBench::job({"(sleep 1000 & echo $! > ../background)", "echo done"}));

  CHECK(result["state"] == "success");
  CHECK(is_gone(bench.project() / "../background"));
}

TEST_CASE("a daemon that left the job's session ends with the job", "[job]") {
  ShellBench bench;

  const auto result = bench.run(JobBench::job(
      {"setsid sh -c 'echo $$ > ../daemon; exec sleep 1000' > /dev/null 2>&1 < /dev/null &",
       "while [ ! -s ../daemon ]; do sleep 0.01; done"}));

  CHECK(result["state"] == "success");
  CHECK(is_gone(bench.project() / "../daemon"));
}

TEST_CASE("a job that was taken away runs no after_script", "[job]") {
  ShellBench bench;
  bench.run(JobBench::job({kTalk}, {"touch ../after"}), [&] {
    bench.wait_for("\nbegun\n");
    bench.server.set_job_status("failed");
  });
  CHECK_FALSE(fs::exists(bench.project() / "../after"));
}

TEST_CASE("a silent job hears soon that it is canceled", "[job]") {
  ShellBench bench;
  const auto result = bench.run(JobBench::job({"echo begun; sleep 1000"}), [&] {
    bench.wait_for("\nbegun\n");
    bench.server.set_job_status("canceling");
  });
  CHECK(result["state"] == "failed");
  CHECK(bench.logged("canceled"));
}

TEST_CASE("a shell job that runs out of its memory is told so, where limits can be set", "[job]") {
  ShellBench bench;
  bench.settings.shell_memory = 64 << 20;
  bench.settings.shell_pids = 50;

  const auto result = bench.run(JobBench::job({"tail /dev/zero"}));

  if (result["failure_reason"] == "runner_configuration_error") {
    CHECK(bench.logged("runner_shell_memory cannot be enforced"));
    return;
  }
  CHECK(result["failure_reason"] == "script_failure");
  CHECK(result["failure_text"].get<std::string>().rfind(
            "the job ran out of memory: its limit is 64 MiB, its peak 64 MiB", 0) == 0);
}

TEST_CASE("a command that is not there, or no program, is told beside the exit code", "[job]") {
  ShellBench bench;
  const auto result = bench.run(JobBench::job({"no-such-command"}));
  CHECK(result["exit_code"] == 127);
  CHECK(result["failure_text"] == "a command was not found, see the end of the log");
  ShellBench other;
  CHECK(other.run(JobBench::job({"echo > file; ./file"}))["failure_text"] ==
        "a file is not executable, see the end of the log");
}

TEST_CASE("what a killed slot's job left is ended, and what lives is not", "[job]") {
  const std::string prefix = "slipway-test" + random_hex(4) + "-";
  const auto left = JobProcesses::make(prefix + "1", {});
  const auto living = JobProcesses::make(prefix + "2", {});
  REQUIRE(left);
  REQUIRE(living);
  if (left->enter_line().empty()) return;  // without cgroups the slot's mark tells
  std::vector<ChildProcess> children;
  for (const JobProcesses* processes : {&*left, &*living}) {
    ProcessSpec spec;
    spec.argv = {"sh", "-c", processes->enter_line() + "exec sleep 1000"};
    spec.env = environment_subset({"PATH"});
    auto child = ChildProcess::start(spec);
    REQUIRE(child);
    while (!processes->holds(child->pid())) std::this_thread::yield();
    children.push_back(std::move(*child));
  }

  JobProcesses::sweep(prefix, [&](const std::string& name) { return name == prefix + "2"; });

  CHECK(children[0].wait().end == ProcessEnd::Signalled);
  CHECK_FALSE(children[1].try_wait());
}

TEST_CASE("without cgroups a job's processes are known by their environment", "[job]") {
  const auto processes = JobProcesses::unconfined("slipway-test-" + random_hex(4));
  ProcessSpec spec;
  spec.argv = {"sh", "-c", "setsid sleep 1000 & echo $! ; wait"};
  spec.env = environment_subset({"PATH"});
  spec.env.merge(processes.environment());
  auto child = ChildProcess::start(spec);
  REQUIRE(child);

  processes.end_all();

  // Killed, or gone by itself when it saw the other killed.
  CHECK_FALSE(child->wait().succeeded());
}

TEST_CASE("a job that is not ours any more is not begun", "[job]") {
  ShellBench bench;
  bench.server.answer_once("PATCH /api/v4/jobs/12/trace", {403, "", ""});

  CHECK(bench.run(JobBench::job({"touch ../ran"})).is_null());

  CHECK_FALSE(fs::exists(bench.project() / "../ran"));
}

TEST_CASE("a project's path leads nowhere else", "[job]") {
  for (const char* path : {"../x", "/etc", "a/../../b", "", "a/-b"}) {
    CAPTURE(path);
    ShellBench bench;
    auto spec = JobBench::job({"true"});
    spec.project_full_path = path;
    bench.run(spec);
    CHECK(bench.server.requests().back().body.find("runner_system_failure") != std::string::npos);
    CHECK_FALSE(fs::exists(bench.directory / "builds"));
  }
}

TEST_CASE("a job works where GIT_CLONE_PATH says, which is below the builds alone", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"pwd", "echo project=$CI_PROJECT_DIR"});
  spec.variables.push_back({"GIT_CLONE_PATH", "$CI_BUILDS_DIR/go/src/app"});
  const fs::path root = bench.project().parent_path().parent_path();

  CHECK(bench.run(spec)["state"] == "success");
  CHECK(bench.logged("\n" + (root / "go/src/app").string() + "\n"));
  CHECK(bench.logged("\nproject=" + (root / "go/src/app").string() + "\n"));

  for (const std::string& path :
       {std::string{"/etc"}, std::string{"$CI_BUILDS_DIR/../x"}, std::string{"relative"},
        std::string{"$CI_BUILDS_DIR"}, std::string{"$CI_BUILDS_DIR/link/x"}}) {
    CAPTURE(path);
    ShellBench other;
    fs::create_directories(other.project());
    fs::create_directory_symlink("/tmp", other.project().parent_path().parent_path() / "link");
    spec.variables.back().value = path;
    CHECK(other.run(spec)["failure_reason"] == "runner_configuration_error");
    CHECK(other.logged("GIT_CLONE_PATH"));
  }
}

TEST_CASE("a job's script may fetch more from its repository", "[job]") {
  const test::GitServer server;
  test::GitRemote remote{server};
  ShellBench bench;
  auto spec = remote.spec(1);
  spec.id = 12;
  spec.token = "glcbt-job";
  spec.project_full_path = "group/project";
  spec.timeout = 120;
  spec.steps = {{"script",
                 {"git fetch --quiet origin main", "git log --format=%s FETCH_HEAD",
                  "env | grep ^GIT_CONFIG_VALUE"}}};

  const auto result = bench.run(spec);

  CAPTURE(bench.server.log());
  CHECK(result["state"] == "success");
  CHECK(bench.logged("\nchange\n"));
  CHECK(bench.logged("GIT_CONFIG_VALUE_0=Authorization: Basic "));
  CHECK_FALSE(bench.logged(base64_encode("gitlab-ci-token:glcbt-secret")));
}

TEST_CASE("artifacts are handed on by when they are wanted", "[job]") {
  const auto uploads_after = [](const std::string& command) {
    ShellBench bench;
    auto spec = JobBench::job({"echo $NAME > out.txt", command});
    spec.variables.push_back({"NAME", "named"});
    for (const char* when : {"on_success", "on_failure", "always"}) {
      pipeline::JobArtifact artifact;
      artifact.name = std::string{when} + "-$NAME";
      artifact.paths = {"out.txt"};
      artifact.when = when;
      spec.artifacts.push_back(artifact);
    }
    bench.run(spec);
    std::vector<std::string> names;
    for (const auto& request : bench.server.requests()) {
      if (request.method != "POST") continue;
      const auto at = request.body.find("filename=\"") + 10;
      names.push_back(request.body.substr(at, request.body.find('"', at) - at));
    }
    return names;
  };
  CHECK(uploads_after("true") ==
        std::vector<std::string>{"on_success-named.zip", "always-named.zip"});
  CHECK(uploads_after("false") ==
        std::vector<std::string>{"on_failure-named.zip", "always-named.zip"});
}

TEST_CASE("an artifact without files fails nothing", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"true"});
  pipeline::JobArtifact artifact;
  artifact.paths = {"none/"};
  spec.artifacts = {artifact};

  CHECK(bench.run(spec)["state"] == "success");
  CHECK(bench.logged("WARNING: none/: no matching files"));
  CHECK(bench.logged("ERROR: No files to upload"));
}

TEST_CASE("an artifact that the server refuses fails the job", "[job]") {
  ShellBench bench;
  bench.server.answer_once("POST /api/v4/jobs/12/artifacts", {413, "", ""});
  auto spec = JobBench::job({"echo x > out.txt"});
  pipeline::JobArtifact artifact;
  artifact.paths = {"out.txt"};
  spec.artifacts = {artifact};

  CHECK(bench.run(spec)["state"] == "failed");
  CHECK(bench.logged("artifacts could not be uploaded: the server answered 413"));
}

TEST_CASE("a dependency that cannot be had fails the job before its script", "[job]") {
  ShellBench bench;
  bench.server.answer_once("GET /api/v4/jobs/7/artifacts", {404, "", ""});
  auto spec = JobBench::job({"touch ../ran"});
  spec.dependencies = {{7, "build", "glcbt-other", "artifacts.zip", 10}};

  CHECK(bench.run(spec)["failure_reason"] == "runner_system_failure");
  CHECK(bench.logged("artifacts of build: the server answered 404"));
  CHECK_FALSE(fs::exists(bench.project() / "../ran"));
}

TEST_CASE("a dependency is asked for as often as ARTIFACT_DOWNLOAD_ATTEMPTS says", "[job]") {
  ShellBench bench;
  for (int i = 0; i < 2; ++i)
    bench.server.answer_once("GET /api/v4/jobs/7/artifacts", {503, "", ""});
  auto spec = JobBench::job({"true"});
  spec.dependencies = {{7, "build", "glcbt-other", "artifacts.zip", 10}};
  spec.variables.push_back({"ARTIFACT_DOWNLOAD_ATTEMPTS", "2"});

  CHECK(bench.run(spec)["failure_reason"] == "runner_system_failure");
  CHECK(bench.logged("artifacts of build: the server answered 503"));
  const auto requests = bench.server.requests();
  CHECK(std::count_if(requests.begin(), requests.end(), [](const auto& request) {
          return request.target == "/api/v4/jobs/7/artifacts";
        }) == 2);
}

TEST_CASE("a job of a server with more steps than we know fails with words", "[job]") {
  ShellBench bench;
  auto spec = JobBench::job({"true"});
  spec.steps.push_back({"release", {"true"}});

  CHECK(bench.run(spec)["failure_reason"] == "runner_configuration_error");
  CHECK(bench.logged("the step 'release' is not known"));
}

TEST_CASE("a log of fifty megabytes arrives whole", "[job]") {
  ShellBench bench;
  const auto result = bench.run(
      JobBench::job({"head -c 52428800 /dev/zero | tr '\\0' 'x' | fold -w 99; echo; echo end"}));

  const std::string log = bench.server.log();
  CHECK(result["state"] == "success");
  CHECK(log.size() > 52428800);
  CHECK(result["output"]["bytesize"] == log.size());
  CHECK(result["output"]["checksum"] == fmt::format("crc32:{:08x}", crc32_update(0, log)));
  CHECK(log.find("\nend\n") != std::string::npos);
}
