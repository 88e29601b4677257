// The jobs of a pipeline and what they print.
import { iso } from './data.mjs';

const reasons = {
  created: ['waiting_for_stage', 'waits for the stages before it'],
  pending: ['waiting_for_runner', 'waits for a free runner'],
  running: ['running', "runs on 'build-host'"],
  success: ['script_succeeded', 'the script ended with exit code 0'],
  failed: ['script_failed', 'the script ended with exit code 1'],
  canceled: ['canceled', 'canceled by admin'],
  skipped: ['skipped', "'test' failed before it"],
  manual: ['manual', 'waits for somebody to start it'],
};

export const reason = (status) => ({ code: reasons[status][0], text: reasons[status][1] });

export function job(id, pipeline, name, stage, values = {}) {
  const { status = 'created' } = values;
  const started = ['created', 'pending', 'skipped', 'manual'].includes(status)
    ? null
    : Date.now() - 60_000;
  const finished = ['success', 'failed', 'canceled'].includes(status) ? Date.now() - 20_000 : null;
  return {
    id,
    name,
    stage,
    status,
    reason: reason(status),
    ref: pipeline.ref,
    tag: false,
    allow_failure: false,
    when: 'on_success',
    created_at: pipeline.created_at,
    queued_at: iso(started),
    started_at: iso(started),
    finished_at: iso(finished),
    erased_at: null,
    duration: finished === null ? null : (finished - started) / 1000,
    queued_duration: started === null ? null : 0.4,
    coverage: null,
    failure_reason: status === 'failed' ? 'script_failure' : null,
    exit_code: { success: 0, failed: 1 }[status] ?? null,
    web_url: '',
    pipeline: {
      id: pipeline.id,
      iid: pipeline.iid,
      project_id: pipeline.project_id,
      ref: pipeline.ref,
      sha: pipeline.sha,
      status: pipeline.status,
    },
    runner: started === null ? null : { id: 1, description: 'build-host' },
    runner_manager: started === null ? null : { system_id: 's_c2d22f638c25' },
    needs: null,
    retried: false,
    attempt: 1,
    tag_list: [],
    trace_size: 0,
    environment: null,
    rule: null,
    artifacts: [],
    artifacts_expire_at: null,
    artifacts_removed: null,
    transfers: [],
    ...values,
  };
}

const esc = '\u001b';
let clock = 1_716_381_800;

function section(name, heading, lines, seconds) {
  const start = clock;
  clock += seconds;
  return [
    `${esc}[0Ksection_start:${start}:${name}\r${esc}[0K${esc}[36;1m${heading}${esc}[0;m\n`,
    ...lines,
    `${esc}[0Ksection_end:${clock}:${name}\r${esc}[0K`,
  ];
}

const steps = {
  build: [
    `${esc}[32;1m$ docker build -t app .${esc}[0;m\n`,
    'Step 1/4 : FROM base\n',
    'layer 1: 10%\rlayer 1: 60%\rlayer 1: done\n',
    `Successfully built ${esc}[38;5;208m4f1c9d${esc}[0m\n`,
  ],
  test: [
    `${esc}[32;1m$ npm test${esc}[0;m\n`,
    ...Array.from(
      { length: 60 },
      (_, i) => `${esc}[32m✓${esc}[0m price ${i + 1} is rounded to the cent\n`,
    ),
    `${esc}[38;2;255;140;0mtrue colour${esc}[0m and ${esc}[1;4mbold underlined${esc}[0m\n`,
    '<img src=x onerror=alert(1)> is only text\n',
    'Coverage: 87.50\n',
  ],
  failing: [
    `${esc}[32;1m$ npm test${esc}[0;m\n`,
    ...Array.from(
      { length: 60 },
      (_, i) => `${esc}[32m✓${esc}[0m price ${i + 1} is rounded to the cent\n`,
    ),
    `${esc}[31m✗ half cents go up${esc}[0m\n`,
    `${esc}[31m  AssertionError: expected 0.13, got 0.12${esc}[0m\n`,
    '    at price.test.js:42:7\n',
    ...Array.from({ length: 30 }, (_, i) => `  after ${i + 1}\n`),
    `${esc}[31m1 failed${esc}[0m, 60 passed\n`,
  ],
};

/** The log of a job as the pieces in which it arrives. */
export function logPieces(name, failed) {
  const script = failed
    ? steps.failing
    : (steps[name] ?? [`${esc}[32;1m$ ./${name}.sh${esc}[0;m\n`, 'done\n']);
  return [
    `Running with slipway 0.1.0\n  on build-host\n`,
    ...section('prepare_executor', 'Preparing the "docker" executor', ['Using image base\n'], 1),
    ...section(
      'get_sources',
      'Getting source from Git repository',
      ['Checking out 4f1c9d12 as main\n'],
      2,
    ),
    ...section('step_script', 'Executing "step_script" stage of the job script', script, 61),
    failed
      ? `${esc}[31;1mERROR: Job failed: exit code 1${esc}[0;m\n`
      : `${esc}[32;1mJob succeeded${esc}[0;m\n`,
  ];
}
