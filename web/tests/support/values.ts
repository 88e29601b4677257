// Builders of API values for tests: complete, with only what matters said by the test.
import type { Job, Pipeline, Project, Runner, Transfer } from '../../src/api/model';

export function makePipeline(values: Partial<Pipeline> = {}): Pipeline {
  return {
    id: 1,
    iid: 1,
    project_id: 1,
    status: 'running',
    ref: 'main',
    tag: false,
    sha: 'a'.repeat(40),
    source: 'push',
    merge_request: null,
    web_url: '',
    created_at: '2025-03-10T11:00:00Z',
    updated_at: '2025-03-10T11:00:00Z',
    started_at: null,
    finished_at: null,
    duration: null,
    queued_duration: null,
    coverage: null,
    findings_gate: { state: 'none', text: '' },
    reason: { code: 'running', text: 'jobs are running' },
    commit: {
      id: 'a'.repeat(40),
      short_id: 'aaaaaaaa',
      title: 'A commit',
      message: 'A commit',
      author_name: 'Ada',
      author_email: 'ada@example.test',
      created_at: null,
    },
    user: null,
    stages: [],
    ...values,
  };
}

export function makeJob(values: Partial<Job> = {}): Job {
  return {
    id: 1,
    name: 'test',
    stage: 'test',
    status: 'running',
    reason: { code: 'running', text: 'runs' },
    ref: 'main',
    tag: false,
    allow_failure: false,
    when: 'on_success',
    created_at: '2025-03-10T11:00:00Z',
    queued_at: null,
    started_at: null,
    finished_at: null,
    duration: null,
    queued_duration: null,
    coverage: null,
    failure_reason: null,
    exit_code: null,
    web_url: '',
    needs: null,
    retried: false,
    attempt: 1,
    tag_list: [],
    trace_size: 0,
    pipeline: { id: 1, iid: 1, project_id: 1, ref: 'main', sha: 'a'.repeat(40), status: 'running' },
    runner: null,
    runner_manager: null,
    artifacts: [],
    artifacts_expire_at: null,
    artifacts_removed: null,
    transfers: [],
    ...values,
  };
}

export function makeProject(values: Partial<Project> = {}): Project {
  return {
    id: 1,
    name: 'shop',
    path: 'shop',
    path_with_namespace: 'demo/shop',
    default_branch: 'main',
    visibility: 'private',
    web_url: '',
    http_url_to_repo: '',
    ci_config_path: '.gitlab-ci.yml',
    keep_latest_artifact: true,
    webhook_url: '',
    created_at: '2025-03-10T11:00:00Z',
    last_pipeline: null,
    trend: [],
    ...values,
  };
}

export function makeRunner(values: Partial<Runner> = {}): Runner {
  return {
    id: 1,
    description: 'host',
    maintenance_note: '',
    runner_type: 'instance_type',
    paused: false,
    online: true,
    status: 'online',
    contacted_at: null,
    created_at: '2025-03-10T11:00:00Z',
    tag_list: [],
    run_untagged: true,
    access_level: 'not_protected',
    locked: false,
    maximum_timeout: null,
    running_jobs: 0,
    managers: [],
    ...values,
  };
}

export function makeTransfer(values: Partial<Transfer> = {}): Transfer {
  return {
    kind: 'cache_restore',
    name: 'key',
    result: 'miss',
    keys: ['key'],
    shared: false,
    files: 0,
    bytes: 0,
    moved_bytes: 0,
    seconds: 1,
    ...values,
  };
}
