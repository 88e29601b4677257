// What the mock server knows at its start: one user, two projects, a history of pipelines, runners. Shapes as in
// schemas/openapi.yaml.

const hour = 3_600_000;
const shas = '0123456789abcdef';

export function sha(seed) {
  let value = seed * 2654435761;
  return Array.from({ length: 40 }, () => {
    value = (value * 1103515245 + 12345) % 2147483648;
    return shas[Math.floor(value / 65536) % 16];
  }).join('');
}

export const iso = (ms) => (ms === null ? null : new Date(ms).toISOString());

const titles = [
  'Answer with the price including tax',
  'Keep the connection pool warm',
  'Fix rounding of half cents',
  'Describe the API in the README',
  'Update dependencies',
  'Retry the payment provider once',
];

export function commit(seed, title = titles[seed % titles.length]) {
  const id = sha(seed);
  return {
    id,
    short_id: id.slice(0, 8),
    title,
    message: `${title}\n\nThe reason stands here.\n`,
    author_name: seed % 3 === 0 ? 'Grace Hopper' : 'Ada Lovelace',
    author_email: 'dev@example.test',
    created_at: iso(Date.now() - hour),
  };
}

export const admin = {
  id: 1,
  username: 'admin',
  name: 'admin',
  state: 'active',
  bot: false,
  is_admin: true,
};

const texts = {
  success: 'all jobs passed',
  failed: "job 'test' failed",
  running: 'jobs are running',
  canceled: 'canceled by admin',
  created: 'not started yet',
};

export function pipeline(values) {
  const { id, project_id = 1, status, seed = id, at = Date.now() } = values;
  const started = status === 'created' ? null : at + 400;
  const finished = ['success', 'failed', 'canceled'].includes(status)
    ? at + 95_000 + (id % 7) * 9000
    : null;
  return {
    id,
    iid: values.iid ?? id,
    project_id,
    status,
    ref: values.ref ?? 'main',
    tag: false,
    sha: sha(seed),
    before_sha: sha(seed - 1),
    source: values.source ?? 'push',
    merge_request: null,
    name: null,
    web_url: '',
    created_at: iso(at),
    updated_at: iso(finished ?? at),
    started_at: iso(started),
    finished_at: iso(finished),
    duration: finished === null ? null : (finished - started) / 1000,
    queued_duration: 0.4,
    coverage: values.coverage ?? null,
    findings_gate: { state: 'none', text: '' },
    reason: values.reason ?? { code: status, text: texts[status] },
    commit: commit(seed, values.title),
    user: admin,
    stages: ['build', 'test', 'security', 'deploy'].map((name, index) => ({
      name,
      status: status === 'failed' ? ['success', 'failed', 'skipped', 'skipped'][index] : status,
    })),
  };
}

export function project(id, path, extra = {}) {
  return {
    id,
    name: path.split('/').at(-1),
    path: path.split('/').at(-1),
    path_with_namespace: path,
    default_branch: 'main',
    visibility: 'private',
    web_url: `/${path}`,
    http_url_to_repo: `/${path}.git`,
    repository_url: `https://git.example.test/${path}.git`,
    ci_config_path: '.gitlab-ci.yml',
    keep_latest_artifact: true,
    webhook_url: `http://127.0.0.1/hooks/${path}`,
    last_pipeline: null,
    created_at: iso(Date.now() - 400 * hour),
    ...extra,
  };
}

export function runner(id, values) {
  return {
    id,
    description: `runner ${id}`,
    maintenance_note: '',
    access_level: 'not_protected',
    locked: false,
    runner_type: 'instance_type',
    paused: false,
    online: true,
    status: 'online',
    contacted_at: iso(Date.now() - 4000),
    created_at: iso(Date.now() - 300 * hour),
    tag_list: [],
    run_untagged: true,
    maximum_timeout: null,
    running_jobs: 0,
    managers: [],
    ...values,
  };
}

const manager = {
  system_id: 's_c2d22f638c25',
  version: '0.1.0',
  platform: 'linux',
  architecture: 'amd64',
  executor: 'docker',
  ip_address: '127.0.0.1',
  contacted_at: iso(Date.now() - 4000),
  status: 'online',
};

export const runners = [
  runner(1, {
    description: 'build-host',
    tag_list: ['docker', 'amd64'],
    running_jobs: 1,
    managers: [manager],
  }),
  runner(2, {
    description: 'old-laptop',
    online: false,
    status: 'offline',
    contacted_at: iso(Date.now() - 26 * hour),
    managers: [
      {
        ...manager,
        system_id: 'r_9f3',
        executor: 'shell',
        contacted_at: iso(Date.now() - 26 * hour),
        status: 'offline',
      },
    ],
  }),
  runner(3, {
    description: 'arm board',
    online: false,
    status: 'never_contacted',
    contacted_at: null,
  }),
];

/** Thirty finished pipelines, oldest first. */
export function history() {
  return Array.from({ length: 30 }, (_, index) => {
    const status = index % 9 === 4 ? 'failed' : index % 13 === 6 ? 'canceled' : 'success';
    return pipeline({
      id: index + 1,
      status,
      at: Date.now() - (30 - index) * 7 * hour,
      ref: index % 5 === 3 ? 'feature/a-rather-long-branch-name-to-see-it-cut' : 'main',
      coverage: status === 'success' ? (78 + Math.sin(index / 3) * 3 + index / 4).toFixed(2) : null,
    });
  });
}
