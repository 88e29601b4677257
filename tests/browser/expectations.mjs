// Everything that the browser tests expect of the data of the server they run against, in one place. The defaults fit the
// mock server of web/mock; against a real server the environment says what differs.

const { env } = process;

export const server = {
  url: env.SLIPWAY_URL ?? 'http://127.0.0.1:5174',
  username: env.SLIPWAY_USERNAME ?? 'admin',
  password: env.SLIPWAY_PASSWORD ?? 'correct horse',
};

export const expected = {
  /** A project whose default branch has a pipeline that succeeds. */
  project: env.SLIPWAY_PROJECT ?? 'demo/shop',
  /** A branch that already has a pipeline, from which the job below is left out by a rule. */
  branch: env.SLIPWAY_BRANCH ?? 'feature/tax',
  leftOutJob: env.SLIPWAY_LEFT_OUT_JOB ?? 'deploy',
  /** The rule's place, as the page shows it. */
  leftOutPlace: /^\.gitlab-ci\.yml:\d+$/,
  /** A job that runs long enough to be watched, and prints colours and sections. */
  watchedJob: env.SLIPWAY_WATCHED_JOB ?? 'test',
  /** The job that a keyboard user opens. */
  firstJob: env.SLIPWAY_FIRST_JOB ?? 'build',
  coverage: /\d+\.\d\d %/,
  /** How long a whole pipeline may take. */
  pipelineMs: Number(env.SLIPWAY_PIPELINE_MS ?? 180_000),
};

export const screenshots = env.SLIPWAY_SCREENSHOTS ?? null;
export const chromium = env.SLIPWAY_CHROMIUM ?? '/usr/bin/chromium';
