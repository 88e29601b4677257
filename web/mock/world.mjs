// The state of the mock server and how it moves: a pipeline that runs by itself, step by step, and tells what changes.
import * as data from './data.mjs';
import { job, logPieces, reason } from './jobs.mjs';

const plan = [
  ['build', 'build', {}],
  ['lint', 'test', { needs: [], allow_failure: true }],
  ['test', 'test', { coverage: 87.5 }],
  ['e2e', 'test', { needs: ['build'] }],
  ['security', 'security', {}],
  ['deploy', 'deploy', { needs: ['security', 'e2e'], environment: 'production' }],
];

const leftOut = {
  name: 'deploy',
  stage: 'deploy',
  reason: { code: 'left_out_by_only', text: "only: [main] does not fit branch 'feature/tax'" },
  file: '.gitlab-ci.yml',
  line: 34,
};

export class World {
  constructor({ stepMs, fresh }) {
    this.stepMs = stepMs;
    this.setupNeeded = fresh;
    this.projects = fresh ? [] : [data.project(1, 'demo/shop'), data.project(2, 'demo/empty')];
    this.pipelines = fresh ? [] : data.history();
    this.tokens = [];
    this.trouble = { delayMs: 0, status: null };
    this.jobs = [];
    this.schedules = [];
    this.logs = new Map();
    this.runners = fresh ? [] : structuredClone(data.runners);
    this.listeners = new Set();
    this.logListeners = new Set();
    this.nextJob = 1000;
    if (fresh) return;
    for (const pipeline of this.pipelines) this.addJobs(pipeline);
    this.extra(
      data.pipeline({ id: 40, status: 'success', ref: 'feature/tax', coverage: '86.10' }),
      leftOut,
    );
    this.extra(
      data.pipeline({
        id: 41,
        status: 'failed',
        ref: 'broken',
        reason: { code: 'config_error', text: 'the configuration is invalid' },
      }),
    );
    this.projects[0].last_pipeline = this.pipelines.find((one) => one.id === 30);
  }

  trend(project) {
    return this.pipelines
      .filter((one) => one.project_id === project.id && one.ref === project.default_branch)
      .slice(-12)
      .map(({ id, iid, status, user, created_at, duration }) => ({
        id,
        iid,
        status,
        by: user.username,
        created_at,
        duration,
      }));
  }

  extra(pipeline, left) {
    this.pipelines.push(pipeline);
    if (pipeline.ref === 'broken') pipeline.stages = [];
    else this.addJobs(pipeline, (name) => name !== left?.name);
  }

  addJobs(pipeline, wanted = () => true) {
    for (const [name, stage, values] of plan) {
      if (!wanted(name)) continue;
      const failed = pipeline.status === 'failed';
      const status =
        pipeline.status === 'created'
          ? 'created'
          : failed
            ? ({ build: 'success', lint: 'failed', test: 'failed', e2e: 'success' }[name] ??
              'skipped')
            : pipeline.status;
      const one = job(this.nextJob++, pipeline, name, stage, { ...values, status });
      if (status !== 'success') one.coverage = null;
      if (name === 'build' && status === 'success') {
        one.artifacts = [
          {
            file_type: 'archive',
            size: 48_211,
            filename: 'artifacts.zip',
            file_format: 'zip',
            expire_at: null,
            kept: false,
          },
        ];
      }
      this.jobs.push(one);
      if (['success', 'failed'].includes(status))
        this.logs.set(one.id, logPieces(name, status === 'failed').join(''));
    }
  }

  details(pipeline) {
    const broken = pipeline.ref === 'broken';
    return {
      ...pipeline,
      upstream_pipeline: null,
      left_out: pipeline.ref === 'feature/tax' ? [leftOut] : [],
      diagnostics: broken
        ? [
            {
              severity: 'error',
              code: 'unknown_keyword',
              message: "unknown keyword 'scripts' in job 'test'",
              file: '.gitlab-ci.yml',
              line: 12,
              column: 3,
              hint: "did you mean 'script'?",
            },
            {
              severity: 'warning',
              code: 'deprecated',
              message: "'types' is an old word for 'stages'",
              file: '.gitlab-ci.yml',
              line: 1,
              column: 1,
              hint: 'rename it to stages',
            },
          ]
        : [],
    };
  }

  /** The bytes of a job's log; a test may put bytes where there is text else. */
  log(id) {
    const log = this.logs.get(id) ?? '';
    return typeof log === 'string' ? Buffer.from(log) : log;
  }

  tell(kind, value) {
    for (const listener of this.listeners) listener(kind, value);
  }

  /** Starts a pipeline that runs to success by itself; answers it. */
  start(projectId, ref) {
    const id = Math.max(0, ...this.pipelines.map((one) => one.id)) + 1;
    const pipeline = data.pipeline({
      id,
      project_id: projectId,
      status: 'created',
      ref,
      source: 'web',
    });
    this.pipelines.push(pipeline);
    this.addJobs(pipeline);
    const project = this.projects.find((one) => one.id === projectId);
    if (ref === project.default_branch) project.last_pipeline = pipeline;
    this.tell('pipeline', pipeline);
    void this.run(pipeline);
    return pipeline;
  }

  async run(pipeline) {
    await this.step();
    this.set(pipeline, 'running');
    for (const stage of ['build', 'test', 'security', 'deploy']) {
      const members = this.jobs.filter(
        (one) => one.pipeline.id === pipeline.id && one.stage === stage,
      );
      for (const one of members) this.setJob(one, 'pending');
      await this.step();
      await Promise.all(members.map((one) => this.runJob(pipeline, one)));
      if (pipeline.status !== 'running') return;
    }
    pipeline.coverage = '87.50';
    this.set(pipeline, 'success');
  }

  async runJob(pipeline, one) {
    if (one.status !== 'pending') return;
    this.setJob(one, 'running');
    this.stage(pipeline);
    this.logs.set(one.id, '');
    for (const piece of logPieces(one.name, false)) {
      if (one.status !== 'running') return;
      this.logs.set(one.id, this.logs.get(one.id) + piece);
      for (const listener of this.logListeners) listener(one.id);
      await this.step(0.2);
    }
    if (one.name === 'test') one.coverage = 87.5;
    this.setJob(one, 'success');
    this.stage(pipeline);
  }

  step(part = 1) {
    return new Promise((resolve) => setTimeout(resolve, this.stepMs * part));
  }

  stage(pipeline) {
    for (const stage of pipeline.stages) {
      const all = this.jobs.filter(
        (one) => one.pipeline.id === pipeline.id && one.stage === stage.name,
      );
      if (all.every((one) => one.status === 'success')) stage.status = 'success';
      else if (all.some((one) => one.status === 'running')) stage.status = 'running';
    }
    this.tell('pipeline', pipeline);
  }

  set(pipeline, status) {
    const now = data.iso(Date.now());
    const texts = {
      running: 'jobs are running',
      success: 'all jobs passed',
      canceled: 'canceled by admin',
    };
    pipeline.status = status;
    pipeline.reason = { code: status, text: texts[status] };
    if (status === 'running') pipeline.started_at = now;
    else {
      pipeline.finished_at = now;
      pipeline.duration = (Date.parse(now) - Date.parse(pipeline.started_at ?? now)) / 1000;
    }
    this.tell('pipeline', pipeline);
  }

  setJob(one, status) {
    const now = data.iso(Date.now());
    one.status = status;
    one.reason = reason(status);
    if (status === 'pending') one.queued_at = now;
    if (status === 'running')
      Object.assign(one, {
        started_at: now,
        queued_duration: 0.3,
        runner: { id: 1, description: 'build-host' },
      });
    if (['success', 'failed', 'canceled'].includes(status)) {
      one.finished_at = now;
      one.duration =
        one.started_at === null ? null : (Date.parse(now) - Date.parse(one.started_at)) / 1000;
      one.exit_code = { success: 0, failed: 1 }[status] ?? null;
      for (const listener of this.logListeners) listener(one.id);
    }
    this.tell('job', one);
  }

  addSchedule(fields) {
    const made = {
      id: this.schedules.length + 1,
      next_run_at: new Date(Date.now() + 3_600_000).toISOString(),
      created_at: new Date().toISOString(),
      updated_at: new Date().toISOString(),
      owner: data.admin,
      last_run: null,
      last_pipeline: null,
      ...fields,
    };
    this.schedules.push(made);
    return made;
  }

  cancel(pipeline) {
    this.set(pipeline, 'canceled');
    for (const one of this.jobs) {
      if (one.pipeline.id === pipeline.id && !['success', 'failed'].includes(one.status))
        this.setJob(one, 'canceled');
    }
    for (const stage of pipeline.stages) if (stage.status !== 'success') stage.status = 'canceled';
  }

  retry(one) {
    one.retried = true;
    const pipeline = this.pipelines.find((other) => other.id === one.pipeline.id);
    const copy = {
      ...job(this.nextJob++, pipeline, one.name, one.stage),
      needs: one.needs,
      status: 'pending',
      reason: reason('pending'),
    };
    this.jobs.push(copy);
    this.tell('job', one);
    this.tell('job', copy);
    void this.step().then(() => this.runJob(pipeline, copy));
    return copy;
  }
}
