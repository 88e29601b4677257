"""Which runner gets which job, and what the server tells of its runners; the runners are doubles of the protocol."""

import datetime
import json
import sqlite3

from harness import wait_for
from protocol_case import ONE_JOB, Protocol


class Choice(Protocol):
    def test_tags_must_all_be_the_runners(self):
        self.push("job:\n  tags: [linux, gpu]\n  script: ['true']\n")
        waiting = self.jobs(self.repo.id, self.pipeline_id)["job"]
        self.assertEqual(waiting["reason"]["code"], "no_matching_runner")
        self.assertIn("linux, gpu", waiting["reason"]["text"])
        self.assertEqual(self.double(tag_list=["linux"]).ask().status, 204)
        job = self.double(tag_list=["gpu", "linux", "fast"]).job()
        tags = [v["value"] for v in job.payload["variables"] if v["key"] == "CI_RUNNER_TAGS"]
        self.assertEqual([json.loads(value) for value in tags], [["gpu", "linux", "fast"]])

    def test_jobs_without_tags_are_for_runners_that_take_them(self):
        self.push()
        self.assertEqual(self.double(tag_list=["linux"], run_untagged=False).ask().status, 204)
        self.assertEqual(self.double(tag_list=["linux"]).ask().status, 201)

    def test_a_runner_that_could_never_run_a_job_is_refused(self):
        status, _, content = self.api.raw("POST", "/api/v4/user/runners",
                                          {"runner_type": "instance_type", "run_untagged": False})
        self.assertEqual(status, 400)
        self.assertIn(b"must run untagged jobs", content)

    def test_a_protected_runner_takes_jobs_of_protected_refs_alone(self):
        self.repo = self.repository(files={".gitlab-ci.yml": ONE_JOB})
        protected = self.double(access_level="ref_protected")
        open_to_all = self.double()
        self.pipeline(self.repo.id, self.repo.push(branch="topic"))
        self.assertEqual(protected.ask().status, 204)
        self.assertEqual(open_to_all.job().payload["git_info"]["protected"], False)
        self.pipeline(self.repo.id, self.repo.push("On main"))
        self.assertEqual(protected.job().payload["git_info"]["protected"], True)

    def test_a_projects_runner_is_locked_to_it(self):
        self.push()
        other = self.repository("team/other", files={".gitlab-ci.yml": ONE_JOB})
        runner = self.double(runner_type="project_type", project_id=other.id)
        self.assertTrue(self.shown()["locked"])
        self.assertEqual(runner.ask().status, 204)
        self.pipeline(other.id, other.push())
        self.assertEqual(runner.job().payload["job_info"]["project_id"], other.id)

    def test_the_shorter_time_out_counts(self):
        self.push("long:\n  timeout: 2 hours\n  script: ['true']\n"
                  "short:\n  timeout: 10 minutes\n  script: ['true']\n")
        runner = self.double(maximum_timeout=900)
        jobs = [runner.job().payload for _ in range(2)]
        self.assertEqual({job["job_info"]["name"]: job["runner_info"]["timeout"] for job in jobs},
                         {"long": 900, "short": 600})
        status, _, content = self.api.raw("PUT", f"/api/v4/runners/{self.runner_id}", {"maximum_timeout": 599})
        self.assertEqual(status, 400)
        self.assertIn(b"600 seconds or more", content)

    def shown(self):
        return self.api.get(f"/api/v4/runners/{self.runner_id}")


class Lists(Protocol):
    def ids(self, query):
        return [runner["id"] for runner in self.api.get(f"/api/v4/runners{query}")]

    def test_runners_are_found_by_type_state_and_tags(self):
        project = self.repository(files={".gitlab-ci.yml": ONE_JOB}).id
        self.double(tag_list="linux, gpu", maintenance_note="Ask Ann").verify()
        first = self.runner_id
        self.double(active=False, tag_list=["linux"])
        second = self.runner_id
        self.double(runner_type="project_type", project_id=project)
        third = self.runner_id
        wait_for("the contact", lambda: self.ids("?status=online") == [first])
        self.assertEqual(self.ids(""), [first, second, third])
        self.assertEqual(self.ids("/all?type=project_type"), [third])
        self.assertEqual(self.ids("?paused=true"), [second])
        self.assertEqual(self.ids("?status=paused"), [second])
        self.assertEqual(self.ids("?tag_list=linux"), [first, second])
        self.assertEqual(self.ids("?tag_list=gpu,linux&status=active"), [first])
        self.assertEqual(self.ids("?status=never_contacted"), [second, third])
        shown = self.api.get(f"/api/v4/runners/{first}")
        self.assertEqual((shown["tag_list"], shown["maintenance_note"]), (["linux", "gpu"], "Ask Ann"))
        for query, told in (("?status=away", b"status is online"), ("?type=group_type", b"type is instance_type")):
            status, _, content = self.api.raw("GET", f"/api/v4/runners{query}")
            self.assertEqual(status, 400)
            self.assertIn(told, content)

    def test_a_job_names_its_manager_and_a_runner_its_jobs(self):
        self.push()
        runner = self.double(system_id="r_cccccccccccc")
        self.assertEqual(self.api.get(f"/api/v4/runners/{self.runner_id}/jobs"), [])
        job = runner.job()
        job.acknowledge()
        own = runner.wire.call("GET", "/api/v4/job", {"JOB-TOKEN": job.token}).json()
        self.assertEqual((own["id"], own["name"], own["status"]), (job.id, "job", "running"))
        job.finish()
        self.assertEqual(runner.wire.call("GET", "/api/v4/job", {"JOB-TOKEN": job.token}).status, 403)
        [seen] = self.api.get(f"/api/v4/runners/{self.runner_id}/jobs?status=success")
        self.assertEqual((seen["id"], seen["runner"]["id"], seen["runner_manager"]),
                         (job.id, self.runner_id, {"system_id": "r_cccccccccccc"}))
        self.assertEqual(self.api.get(f"/api/v4/runners/{self.runner_id}/jobs?status=failed"), [])
        [manager] = self.api.get(f"/api/v4/runners/{self.runner_id}/managers")
        self.assertEqual((manager["system_id"], manager["status"]), ("r_cccccccccccc", "online"))


class Seen(Protocol):
    def shown(self):
        return self.api.get(f"/api/v4/runners/{self.runner_id}")

    def contacted_ago(self, **ago):
        """As if that runner had last been heard then."""
        self.server.stop()
        then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)
        with sqlite3.connect(self.server.data / "slipway.db") as database:
            for table, key in (("runners", "id"), ("runner_managers", "runner_id")):
                database.execute(f"UPDATE {table} SET contacted_at = ? WHERE {key} = ?",
                                 (int(then.timestamp() * 1000), self.runner_id))
        database.close()
        self.server.start()

    def test_a_runner_is_online_offline_and_stale_by_its_last_contact(self):
        runner = self.double()
        self.assertEqual((self.shown()["status"], self.shown()["contacted_at"]), ("never_contacted", None))
        runner.verify()
        online = wait_for("the contact", lambda: (lambda r: r if r["online"] else None)(self.shown()))
        self.assertEqual((online["status"], len(online["managers"])), ("online", 1))
        manager = online["managers"][0]
        facts = {"system_id": "s_0123456789ab", "version": "19.4.0", "platform": "linux", "architecture": "amd64",
                 "executor": "docker", "ip_address": "127.0.0.1"}
        self.assertEqual(manager, {**manager, **facts})
        self.contacted_ago(minutes=10)
        self.assertEqual((self.shown()["status"], self.shown()["online"]), ("offline", False))
        self.contacted_ago(days=8)
        self.assertEqual(self.shown()["status"], "stale")
        runner.connect()
        runner.ask()
        wait_for("the contact", lambda: self.shown()["status"] == "online")

    def test_a_runner_that_is_busy_and_does_not_poll_is_online(self):
        self.push()
        runner = self.double()
        job = runner.job()
        job.write("working\n")
        calls = {"log": lambda: job.patch(b"more\n"), "keep-alive": lambda: job.put("running"),
                 "artifacts": lambda: job.upload("junit.xml.gz", b"", "artifact_format=gzip&artifact_type=junit"),
                 "the end": job.finish}
        for name, call in calls.items():
            with self.subTest(name):
                self.contacted_ago(minutes=10)
                self.assertEqual(self.shown()["status"], "offline")
                runner.connect()
                self.assertIn(call().status, (200, 201, 202))
                shown = wait_for("the contact", lambda: (lambda r: r if r["online"] else None)(self.shown()))
                self.assertEqual(shown["contacted_at"], shown["managers"][0]["contacted_at"])

    def test_one_token_serves_several_managers_until_they_leave(self):
        first = self.double(system_id="s_aaaaaaaaaaaa")
        second = self.client(first.token, "r_bbbbbbbbbbbb")
        names = lambda: {manager["system_id"] for manager in self.shown()["managers"]}
        for runner in (first, second):
            self.assertEqual(runner.verify().status, 200)
        wait_for("both", lambda: names() == {"s_aaaaaaaaaaaa", "r_bbbbbbbbbbbb"})
        self.assertEqual(first.unregister().status, 204)
        self.assertEqual(names(), {"r_bbbbbbbbbbbb"})
        self.assertEqual(first.verify().status, 200)  # it comes back at once
        wait_for("both again", lambda: names() == {"s_aaaaaaaaaaaa", "r_bbbbbbbbbbbb"})
