"""The server against an unmodified runner's side of the protocol: the acceptance list, each line a test.

The client is runner_double.py: sockets and the protocol's description, nothing of our agent.
"""

import gzip
import json
import subprocess
import threading

from harness import wait_for
from protocol_case import ONE_JOB, Protocol, zipped
from runner_double import JobDouble, Wire, decode_job


class Identity(Protocol):
    def test_01_verify_and_unregister(self):
        runner = self.double()
        found = runner.verify()
        self.assertEqual(found.status, 200)
        self.assertEqual(found.json(), {"id": self.runner_id, "token": runner.token, "token_expires_at": None})
        self.assertGreater(self.runner_id, 0)
        self.assertEqual(self.client("glrt-wrong").verify().status, 403)
        self.assertEqual(runner.wire.json("POST", "/api/v4/runners/verify", {"system_id": "s_1"}).status, 400)
        self.assertEqual(runner.unregister().status, 204)
        self.assertEqual(runner.unregister().status, 404)
        self.assertEqual(self.client("glrt-wrong").unregister().status, 403)
        self.assertEqual(runner.wire.json("DELETE", "/api/v4/runners/managers", {"token": runner.token}).status, 400)
        self.assertEqual(runner.verify().status, 200)

    def test_01_an_old_runner_without_headers_verifies_too(self):
        self.assertEqual(self.double("old").verify().status, 200)

    def test_01_a_token_is_renewed(self):
        runner = self.double()
        renewed = runner.wire.json("POST", "/api/v4/runners/reset_authentication_token",
                                   {"token": runner.token, "system_id": runner.system_id})
        self.assertEqual(renewed.status, 201)
        self.assertIsNone(renewed.json()["token_expires_at"])
        self.assertEqual(runner.verify().status, 403)
        self.assertEqual(self.client(renewed.json()["token"]).verify().status, 200)
        status, _, content = self.api.raw("POST", f"/api/v4/runners/{self.runner_id}/reset_authentication_token", {})
        self.assertEqual(status, 201)
        self.assertEqual(self.client(renewed.json()["token"]).verify().status, 403)
        self.assertEqual(self.client(json.loads(content)["token"]).verify().status, 200)

    def test_01_registration_tokens_are_gone_and_say_so(self):
        wire = Wire(self.server.url)
        answer = wire.json("POST", "/api/v4/runners", {"token": "registration", "description": "old"})
        self.assertEqual(answer.status, 410)
        self.assertIn("message", answer.json())
        wire.close()

    def test_12_a_token_is_taken_from_header_and_body_alike(self):
        self.push()
        runner = self.double()
        wire, body = runner.wire, {"system_id": runner.system_id}
        for headers, more in (({"RUNNER-TOKEN": runner.token}, {}), ({}, {"token": runner.token})):
            answer = wire.json("POST", "/api/v4/runners/verify", {**body, **more}, headers)
            self.assertEqual((answer.status, answer.json()["token"]), (200, runner.token))
        job = runner.job()
        path = f"/api/v4/jobs/{job.id}"
        for headers, more in (({"JOB-TOKEN": job.token}, {}), ({}, {"token": job.token})):
            self.assertEqual(wire.json("PUT", path, {"state": "running", **more}, headers).status, 200)
        self.assertEqual(wire.json("PUT", path, {"state": "running"}).status, 403)

    def test_12_a_call_is_answered_with_its_own_id(self):
        runner = self.double()
        mark = "0123456789abcdef0123456789abcdef"
        answer = runner.wire.json("POST", "/api/v4/runners/verify", {"token": runner.token}, {"X-Request-Id": mark})
        self.assertEqual(answer.headers["x-request-id"], mark)
        discovery = runner.wire.call("GET", "/api/v4/runners/router/discovery", {"RUNNER-TOKEN": runner.token})
        self.assertEqual(discovery.status, 404)

    def test_12_tokens_of_others_open_nothing(self):
        self.push("a:\n  script: ['true']\nb:\n  script: ['true']\n")
        runner = self.double()
        mine, other = runner.job(), runner.job()
        for token in ("glcbt-wrong", other.token, runner.token):
            thief = JobDouble(runner, mine.payload)
            thief.token = token
            self.assertEqual(thief.acknowledge().status, 403)
            self.assertEqual(thief.patch(b"x").status, 403)
            self.assertEqual(thief.upload("a.zip", b"PK").status, 403)
            self.assertIn(mine.download(mine.id, "glcbt-wrong").status, (401, 403))
        self.assertEqual(mine.acknowledge().status, 200)
        mine.finish()
        self.assertEqual(self.client("glrt-wrong").ask().status, 403)


class Polling(Protocol):
    def test_02_an_idle_poll_is_held_and_answered_204(self):
        answer = self.double().ask()
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertIn("x-gitlab-last-update", answer.headers)

    def test_02_of_two_runners_one_gets_the_job(self):
        self.restart(poll_hold="6s", ack_timeout="30s")  # the push lies within the hold, the job's return does not
        answers = []
        runners = [self.double(system_id=f"s_{i}") for i in range(2)]
        self.repo = self.repository(files={".gitlab-ci.yml": ONE_JOB})
        waiting = [threading.Thread(target=lambda r=r: answers.append(r.ask().status)) for r in runners]
        for thread in waiting:
            thread.start()
        self.repo.push()
        for thread in waiting:
            thread.join()
        self.assertEqual(sorted(answers), [201, 204])

    def test_02_a_paused_runner_gets_nothing(self):
        self.push()
        runner = self.double(paused=True)
        self.assertEqual(runner.ask().status, 204)
        self.api.call("PUT", f"/api/v4/runners/{self.runner_id}", {"paused": False})
        self.assertEqual(runner.ask().status, 201)

    def test_03_a_client_that_leaves_during_the_hold_takes_no_job(self):
        gone = self.double()
        gone.begin_to_ask()
        wait_for("the held request", lambda: self.metric("slipway_runners_polling") == 1)
        gone.close()
        wait_for("its end", lambda: self.metric("slipway_runners_polling") == 0)
        self.push()
        self.assertEqual(self.double().job().payload["job_info"]["name"], "job")

    def test_02_a_program_that_polls_for_several_runners_in_turn_waits_long_for_none(self):
        """Its second runner is asked for only after the answer to the first."""
        self.restart(poll_hold="300s")
        first, second = self.double(system_id="s_twoinone0000"), self.double(system_id="s_twoinone0000")
        first.begin_to_ask()
        wait_for("the held request", lambda: self.metric("slipway_runners_polling") == 1)
        self.assertEqual(second.ask().status, 204)
        first.connect()
        self.assertEqual(first.ask().status, 204)
        self.push()
        self.assertEqual(second.ask().status, 201)

    def test_03_a_job_that_was_not_understood_comes_back_with_a_new_token(self):
        self.push()
        runner = self.double("old")
        lost = runner.job()
        again = wait_for("the job that nobody acknowledged",
                         lambda: (lambda a: a.status == 201 and decode_job(a.json()))(runner.ask()))
        self.assertEqual(again["id"], lost.id)
        self.assertNotEqual(again["token"], lost.token)
        self.assertEqual(lost.patch(b"I was only slow\n").status, 403)
        mine = JobDouble(runner, again)
        mine.write("hello\n")
        self.assertEqual(mine.finish().status, 200)
        self.assertEqual(self.trace(self.repo.id, mine.id), b"hello\n")

    def test_03_a_job_that_no_runner_understands_fails_after_some_times(self):
        self.restart(ack_timeout="1s")
        self.push()
        runner = self.double("old")
        def failed_after_a_poll():
            runner.ask()
            job = self.jobs(self.repo.id, self.pipeline_id)["job"]
            return job if job["status"] == "failed" else None
        failed = wait_for("the end of the attempts", failed_after_a_poll)
        self.assertEqual(failed["failure_reason"], "runner_system_failure")
        self.assertIn("It was handed out 5 times, and no runner said that it began.", failed["reason"]["text"])

    def test_13_what_clients_may_send(self):
        self.push("a:\n  script: ['true']\nb:\n  script: ['true']\n")
        runner = self.double()
        first = runner.ask(chunked=True)
        self.assertEqual(first.status, 201)
        body = json.dumps(runner._body()).encode()
        runner.wire.head("POST", "/api/v4/jobs/request",
                         {"Content-Type": "application/json; charset=utf-8", "Content-Length": len(body),
                          "Expect": "100-continue"})
        runner.wire.socket.sendall(body)
        second = runner.wire.answer()
        self.assertEqual(second.status, 201)
        job = JobDouble(runner, decode_job(second.json()))
        self.assertEqual(job.patch(b"in chunks\n" * 2000, chunked=True).status, 202)
        self.assertEqual(job.finish().status, 200)
        self.assertEqual(self.trace(self.repo.id, job.id), b"in chunks\n" * 2000)


class Log(Protocol):
    def test_04_a_log_survives_a_killed_server(self):
        self.push()
        runner = self.double()
        job = runner.job()
        self.assertEqual(job.acknowledge().status, 200)
        text = ("Zeile mit Ümlaut, 漢字 and \x1b[31mred\x1b[0m\r\n" * 75_000).encode()
        self.assertGreater(len(text), 3_000_000)
        cut = 1_000_001
        while (text[cut] & 0xC0) != 0x80:  # in the middle of a character
            cut += 1
        self.assertEqual(job.patch(text[:cut]).status, 202)
        self.server.kill()
        self.server.start()
        runner.connect()
        job.write(text[cut:], piece=999_983)
        done = job.finish()
        self.assertEqual(done.status, 200, done)
        self.assertEqual(self.state(job)["status"], "success")
        self.assertEqual(self.trace(self.repo.id, job.id), text)

    def test_05_a_piece_that_comes_twice_is_told_the_size(self):
        self.push()
        job = self.double().job()
        self.assertEqual(job.patch(b"one\n").status, 202)
        again = job.patch(b"one\n", start=0)
        self.assertEqual((again.status, again.headers["range"]), (416, "0-4"))
        beyond = job.patch(b"three\n", start=40)
        self.assertEqual((beyond.status, beyond.headers["range"]), (416, "0-4"))
        self.assertEqual(job.offset, 4)
        taken = job.patch(b"two\n")
        self.assertEqual((taken.status, taken.headers["range"]), (202, "0-8"))
        self.assertEqual(taken.headers["job-status"], "running")
        self.assertGreater(int(taken.headers["x-gitlab-trace-update-interval"]), 0)
        self.assertEqual(job.finish().status, 200)
        self.assertEqual(self.trace(self.repo.id, job.id), b"one\ntwo\n")

    def test_05_a_piece_without_a_range_is_refused(self):
        self.push()
        runner = self.double()
        job = runner.job()
        answer = runner.wire.call("PATCH", f"/api/v4/jobs/{job.id}/trace", {"JOB-TOKEN": job.token}, b"x")
        self.assertEqual(answer.status, 400)
        self.assertIn("Content-Range", answer.json()["message"])

    def test_06_the_final_word_may_be_repeated(self):
        self.push()
        job = self.double().job()
        job.write("done\n")
        self.assertEqual(job.finish().status, 200)
        before = self.state(job)
        self.assertIn(job.finish().status, (200, 403))
        self.assertIn(job.finish("failed", failure_reason="script_failure").status, (200, 403))
        after = self.state(job)
        self.assertEqual((after["status"], after["finished_at"]), (before["status"], before["finished_at"]))

    def test_06_a_log_with_other_bytes_is_asked_for_once_more(self):
        self.push()
        job = self.double().job()
        job.write("as it was\n")
        honest, job.log = job.log, b"as it wasn't"[:10]
        self.assertEqual(job.finish().status, 412)
        job.log, job.offset = b"", 0
        job.write(honest)
        self.assertEqual(job.finish().status, 200)
        self.assertEqual(self.trace(self.repo.id, job.id), honest)


class Ends(Protocol):
    server_settings = {**Protocol.server_settings, "lease": "3s"}

    def test_07_success_and_failures(self):
        config = ("ok:\n  script: ['true']\n"
                  "bad:\n  script: ['exit 1']\n"
                  "spared:\n  script: ['exit 42']\n  allow_failure: {exit_codes: [42]}\n"
                  "late:\n  script: ['sleep 99']\n  timeout: 10 minutes\n"
                  "stopped:\n  script: ['true']\n")
        self.push(config)
        runner = self.double()
        jobs = {}
        for _ in range(5):
            job = runner.job()
            jobs[job.payload["job_info"]["name"]] = job
            self.assertEqual(job.acknowledge().status, 200)
        self.assertEqual(jobs["late"].payload["runner_info"]["timeout"], 600)
        jobs["ok"].finish()
        jobs["bad"].finish("failed", failure_reason="script_failure", exit_code=1)
        jobs["spared"].finish("failed", failure_reason="script_failure", exit_code=42)
        jobs["late"].finish("failed", failure_reason="job_execution_timeout")
        jobs["stopped"].finish("failed", failure_reason="runner_interrupted")
        found = self.jobs(self.repo.id, self.pipeline_id)
        self.assertEqual({name: job["status"] for name, job in found.items()},
                         {"ok": "success", "bad": "failed", "spared": "failed", "late": "failed", "stopped": "failed"})
        self.assertTrue(found["spared"]["allow_failure"])
        self.assertFalse(found["bad"]["allow_failure"])
        self.assertEqual([found[name]["failure_reason"] for name in ("bad", "late", "stopped")],
                         ["script_failure", "job_execution_timeout", "runner_interrupted"])
        self.assertIn("exit code 1", found["bad"]["reason"]["text"])

    def test_07_a_runner_that_falls_silent_is_lost(self):
        self.push()
        job = self.double().job()
        self.assertEqual(job.acknowledge().status, 200)
        found = self.job_in(self.repo.id, self.pipeline_id, "job", "failed", 30)
        self.assertEqual(found["reason"]["code"], "runner_lost")
        self.assertEqual(job.patch(b"still here\n").status, 403)

    def test_08_a_cancel_is_heard_and_lets_the_job_end_by_itself(self):
        self.push()
        job = self.double().job()
        job.write("working\n")
        self.api.post(f"/api/v4/projects/{self.repo.id}/jobs/{job.id}/cancel")
        told = job.patch(b"cleaning up\n")
        self.assertEqual((told.status, told.headers["job-status"]), (202, "canceling"))
        self.assertEqual(job.put("running").headers["job-status"], "canceling")
        self.assertEqual(job.finish("failed", failure_reason="job_canceled").status, 200)
        self.assertEqual(self.state(job)["status"], "canceled")
        self.assertEqual(self.trace(self.repo.id, job.id), b"working\ncleaning up\n")

    def test_08_a_cancel_by_force_ends_the_job_at_once(self):
        self.push()
        job = self.double().job()
        job.write("working\n")
        path = f"/api/v4/projects/{self.repo.id}/jobs/{job.id}/cancel"
        self.assertEqual(self.api.post(path)["status"], "canceling")
        self.assertEqual(job.patch(b"cleaning up\n").headers["job-status"], "canceling")
        self.assertEqual(self.api.post(path, {"force": True})["status"], "canceled")
        for told in (job.patch(b"still cleaning up\n"), job.put("running"), job.finish("failed")):
            self.assertEqual((told.status in (200, 403), told.headers["job-status"]), (True, "canceled"))
        self.assertEqual(job.patch(b"more\n").status, 403)
        self.assertEqual(self.state(job)["status"], "canceled")
        self.assertEqual(self.trace(self.repo.id, job.id), b"working\ncleaning up\n")

    def test_08_what_runs_is_canceled_by_force_without_a_first_call(self):
        self.push()
        job = self.double().job()
        job.write("working\n")
        self.api.post(f"/api/v4/projects/{self.repo.id}/jobs/{job.id}/cancel?force=true")
        self.assertEqual(self.state(job)["status"], "canceled")
        self.assertEqual(job.patch(b"more\n").headers["job-status"], "canceled")

    def test_08_a_cancel_that_nobody_heeds_ends_the_job_all_the_same(self):
        self.push()
        job = self.double().job()
        job.write("working\n")
        self.api.post(f"/api/v4/projects/{self.repo.id}/jobs/{job.id}/cancel")
        self.job_in(self.repo.id, self.pipeline_id, "job", "canceled", 30)
        self.assertEqual(job.patch(b"who, me?\n").status, 403)


class Artifacts(Protocol):
    server_settings = {**Protocol.server_settings, "artifact_limit": "1M"}
    CONFIG = ("stages: [build, test]\n"
              "make:\n  stage: build\n  script: [make]\n"
              "  artifacts: {paths: [out], expire_in: 1 week, reports: {junit: r.xml, dotenv: build.env}}\n"
              "check:\n  stage: test\n  script: [check]\n")

    def test_09_artifacts_and_reports_go_up_and_down(self):
        self.push(self.CONFIG)
        runner = self.double()
        make = runner.job()
        make.acknowledge()
        kinds = [(a["artifact_type"], a["artifact_format"], a["when"]) for a in make.payload["artifacts"]]
        self.assertEqual(kinds, [("archive", "zip", "on_success"), ("junit", "gzip", "always"),
                                 ("dotenv", "gzip", "always")])
        archive = zipped(out="the result")
        query = "artifact_format=zip&artifact_type=archive&expire_in=1+week"
        self.assertEqual(make.upload("artifacts.zip", archive, query).status, 201)
        self.assertEqual(make.upload("artifacts.zip", archive, query).status, 201)  # the reply was lost
        report = gzip.compress(b"<testsuite/>")
        self.assertEqual(make.upload("junit.xml.gz", report, "artifact_format=gzip&artifact_type=junit").status, 201)
        env = gzip.compress(b"RELEASE=4.2\n")
        self.assertEqual(make.upload(".env.gz", env, "artifact_format=gzip&artifact_type=dotenv").status, 201)
        make.finish()
        check = runner.job()
        check.acknowledge()
        [needed] = check.payload["dependencies"]
        self.assertEqual((needed["id"], needed["name"]), (make.id, "make"))
        self.assertEqual(needed["artifacts_file"], {"filename": "artifacts.zip", "size": len(archive)})
        got = check.download(needed["id"], needed["token"])
        self.assertEqual((got.status, got.body), (200, archive))
        self.assertIn(("RELEASE", "4.2"), [(v["key"], v["value"]) for v in check.payload["variables"]])
        check.finish()

    def test_09_what_is_too_large_is_refused_and_the_job_can_go_on(self):
        self.push(self.CONFIG)
        make = self.double().job()
        make.acknowledge()
        self.assertEqual(make.upload("artifacts.zip", b"x" * 3_000_000).status, 413)
        self.assertEqual(make.upload("artifacts.zip", zipped(out="small")).status, 201)
        self.assertEqual(make.finish().status, 200)

    def test_09_a_dependency_that_has_no_artifacts_is_not_offered(self):
        self.push(self.CONFIG)
        runner = self.double()
        make = runner.job()
        make.finish()
        check = runner.job()
        self.assertEqual([d for d in check.payload["dependencies"] if d.get("artifacts_file")], [])
        self.assertEqual(check.download(make.id, check.token).status, 404)

    def test_09_a_dependency_whose_artifacts_have_expired_fails_the_job_and_says_so(self):
        self.push(self.CONFIG + "  when: manual\n")
        # Or they would outlast their time: the pipeline is the last that succeeded.
        self.api.call("PUT", f"/api/v4/projects/{self.repo.id}", {"keep_latest_artifact": False})
        runner = self.double()
        make = runner.job()
        make.acknowledge()
        query = "artifact_format=zip&artifact_type=archive&expire_in=1+second"
        self.assertEqual(make.upload("artifacts.zip", zipped(out="short-lived"), query).status, 201)
        make.finish()
        check = self.job_in(self.repo.id, self.pipeline_id, "check", "manual")
        archive = f"/api/v4/projects/{self.repo.id}/jobs/{make.id}/artifacts"
        wait_for("the artifacts' end", lambda: self.api.raw("GET", archive)[0] == 404)
        self.api.post(f"/api/v4/projects/{self.repo.id}/jobs/{check['id']}/play")
        self.assertEqual(runner.ask().status, 204)
        failed = self.job_in(self.repo.id, self.pipeline_id, "check", "failed")
        self.assertEqual(failed["failure_reason"], "missing_dependency_failure")
        self.assertEqual(failed["reason"]["text"],
                         "The artifacts that it depends on are not there. Those of job 'make' have expired.")

    def test_10_cache_keys_keep_protected_branches_apart(self):
        self.push("job:\n  script: ['true']\n  cache: {key: deps, paths: [lib], fallback_keys: [old]}\n")
        runner = self.double()
        job = runner.job()
        job.acknowledge()
        first = job.payload["cache"][0]
        self.assertEqual((first["policy"], first["paths"]), ("pull-push", ["lib"]))
        self.pipeline(self.repo.id, self.repo.push("On a branch", branch="topic"))
        second = runner.job().payload["cache"][0]
        keys = [(cache["key"], cache["fallback_keys"]) for cache in (first, second)]
        self.assertEqual(keys, [("deps-protected", ["old-protected"]), ("deps-non_protected", ["old-non_protected"])])


class Trouble(Protocol):
    def test_14_a_database_that_cannot_be_written_is_no_refusal(self):
        """A full disk: 403 would send a runner away for an hour."""
        self.push()
        runner = self.double()
        self.server.stop()
        disk = self.directory / "small"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(disk)], check=True)
        subprocess.run(["cp", "-a", f"{self.server.data}/.", str(disk)], check=True)
        self.server.data = disk
        self.server.start()
        runner.connect()
        filler = disk / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4096"], stderr=subprocess.DEVNULL)
        for _ in range(3):
            self.assertIn(runner.ask().status, (204, 500, 503))
        filler.unlink()
        answer = wait_for("a job once there is room", lambda: (lambda a: a.status == 201 and a)(runner.ask()))
        decode_job(answer.json())
        self.server.stop()
