// Every English text of the application. Values are sentences or functions from values to sentences.
import type { Shape } from '../lib/status';
import type { Status } from '../api/model';

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

const statuses: Record<Status, string> = {
  created: 'Created',
  waiting_for_resource: 'Waiting for resource',
  preparing: 'Preparing',
  pending: 'Pending',
  running: 'Running',
  success: 'Passed',
  failed: 'Failed',
  canceling: 'Canceling',
  canceled: 'Canceled',
  skipped: 'Skipped',
  manual: 'Manual',
  scheduled: 'Scheduled',
};

const statusMarks: Record<Shape, string> = {
  check: '✓',
  cross: '✗',
  bang: '!',
  spin: '●',
  clock: '◷',
  dots: '…',
  ring: '○',
  slash: '⊘',
  skip: '»',
  play: '▷',
  lock: '◷',
};

export const en = {
  language: 'en',
  product: 'Slipway',
  skip: 'Skip to content',
  mainNavigation: 'Main',
  breadcrumb: 'Where you are',
  projects: 'Projects',
  runners: 'Runners',
  signOut: 'Sign out',
  signIn: 'Sign in',
  loading: 'Loading…',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  cancel: 'Cancel',
  retry: 'Retry',
  play: 'Run',
  tryAgain: 'Try again',
  none: 'none',
  statuses,
  statusMarks,
  failedAllowed: 'Failed, allowed to',
  changed: (what: string, status: string): string => `${what}: ${status}`,
  offline:
    'The connection to the server is lost. What you see may be out of date; it will catch up by itself.',
  reconnect: 'Reconnect now',

  errors: {
    unreachable: 'The server cannot be reached.',
    unreachableHint: 'Check your network and that “slipway server” is running, then try again.',
    unexpected: 'Something went wrong on this page.',
    status: (status: number): string => {
      if (status === 401) return 'You are not signed in.';
      if (status === 403) return 'You may not do this.';
      if (status === 404) return 'There is nothing at this address.';
      if (status === 409) return 'This is no longer possible in its present state.';
      if (status === 429) return 'Too many attempts.';
      if (status >= 500) return `The server could not answer (${status}).`;
      return `The server refused this (${status}).`;
    },
    hint: (status: number): string | null => {
      if (status === 401) return 'Sign in and try again.';
      if (status === 403) return 'Ask an administrator for the right to do it.';
      if (status === 404) return 'It may have been deleted, or you may need to sign in to see it.';
      if (status === 429) return 'Wait a minute, then try again.';
      if (status >= 500) return 'Try again in a moment. If it stays, the server log says more.';
      return null;
    },
  },

  notFound: {
    title: 'There is no such page',
    text: 'The address does not lead anywhere. Perhaps it was cut when it was copied.',
    action: 'Go to the projects',
  },

  login: {
    title: 'Sign in',
    username: 'User name',
    password: 'Password',
    submit: 'Sign in',
  },

  setup: {
    title: 'Welcome to Slipway',
    text: 'Create the first administrator. The setup token proves that you own this server: it stands in the file “setup-token” in the data directory.',
    token: 'Setup token',
    username: 'User name',
    password: 'Password',
    passwordHint: 'At least 10 characters.',
    submit: 'Create administrator',
    doneTitle: 'You are signed in',
    doneText: 'This personal access token lets the command line work as you. It is shown only now.',
    continue: 'Go to the projects',
    notNeeded: 'This server already has an administrator.',
  },

  projectList: {
    title: 'Projects',
    add: 'Add project',
    search: 'Find a project',
    red: (n: number): string => count(n, 'project is failing', 'projects are failing'),
    allGood: 'Nothing is failing.',
    neverRan: 'No pipeline on the default branch yet',
    emptyTitle: 'No project yet',
    emptyText:
      'Add a project: say where its git repository is, then point a webhook here. The next push runs its pipeline.',
    nothingFound: (text: string): string => `No project is called like “${text}”.`,
    path: 'Path',
    pathHint: 'Group and name, such as team/service.',
    url: 'Repository address',
    urlHint: 'Where git fetches from: https://, ssh:// or a path that the server allows.',
    branch: 'Default branch',
    submit: 'Add project',
    created: (path: string): string => `${path} is added. One step is left: the webhook.`,
    secretText:
      'Set this webhook in your git host, for push events with JSON payload. The secret is shown only now.',
    webhookUrl: 'Webhook address',
    webhookSecret: 'Webhook secret',
    open: 'Open the project',
  },

  project: {
    pipelines: 'Pipelines',
    coverage: 'Coverage',
    deliveries: 'Webhooks',
    views: 'Views of the project',
    filters: 'Filter pipelines',
    ref: 'Branch or tag',
    anyRef: 'All branches',
    status: 'State',
    anyStatus: 'All states',
    run: 'Run pipeline',
    runOn: (ref: string): string => `Run a pipeline on ${ref}`,
    emptyTitle: 'No pipeline yet',
    emptyText: (url: string): string =>
      `Push a commit with a .gitlab-ci.yml. The git host must call ${url} on a push.`,
    emptyFilteredTitle: 'No pipeline fits the filter',
    emptyFilteredText: 'Choose another branch or state.',
    clearFilter: 'Clear the filter',
    stage: (name: string, status: string): string => `${name}: ${status}`,
    stages: 'Stages',
    coverageOf: (value: string): string => `coverage ${value}`,
    by: (name: string): string => `by ${name}`,
    queued: (text: string): string => `queued ${text}`,
    newer: 'Newer',
    older: 'Older',
    pages: 'Pages of the list',
    page: (n: number): string => `Page ${n}`,
    total: (n: number): string => count(n, 'pipeline', 'pipelines'),
    sources: {
      push: 'push',
      web: 'started by hand',
      api: 'started by the API',
      schedule: 'on schedule',
      trigger: 'triggered',
      merge_request_event: 'merge request',
    } as Record<string, string>,
  },

  coverage: {
    title: 'Coverage over time',
    latest: 'Latest',
    change: 'since the one before',
    average: (n: number): string => `average of ${n}`,
    lowest: 'lowest',
    chart: (ref: string, n: number): string =>
      `Coverage of ${ref} in the last ${n} pipelines, in per cent`,
    emptyTitle: 'No coverage yet',
    emptyText:
      'Give a job the keyword coverage with a regular expression, such as coverage: /Coverage: \\d+\\.\\d+/, and print the figure.',
    table: 'Figures',
    pipeline: 'Pipeline',
    commit: 'Commit',
    value: 'Coverage',
    when: 'When',
  },

  deliveries: {
    title: 'Webhook deliveries',
    emptyTitle: 'Nothing has arrived yet',
    emptyText: (url: string): string => `Point the git host's webhook for push events at ${url}.`,
    event: 'Event',
    verdict: 'Verdict',
    why: 'Why',
    when: 'Received',
    pipeline: 'Pipeline',
  },

  pipeline: {
    title: (iid: number): string => `Pipeline #${iid}`,
    of: (ref: string): string => `on ${ref}`,
    tag: (ref: string): string => `tag ${ref}`,
    started: 'started',
    progress: (done: number, total: number): string =>
      `${done} of ${count(total, 'job', 'jobs')} done`,
    failedJobs: (n: number): string => count(n, 'failed', 'failed'),
    graph: 'Jobs by stage',
    needs: (names: string): string => `Needs ${names}`,
    startsAtOnce: 'Needs nothing',
    optional: 'may fail',
    cancel: 'Cancel pipeline',
    retry: 'Retry failed jobs',
    retryJob: (name: string): string => `Retry ${name}`,
    cancelJob: (name: string): string => `Cancel ${name}`,
    playJob: (name: string): string => `Run ${name}`,
    leftOut: 'Not in this pipeline',
    leftOutText: 'Jobs of the file that the rules left out.',
    diagnostics: 'Findings in the configuration',
    severity: { error: 'Error', warning: 'Warning' },
    place: (file: string, line: number, column?: number): string =>
      column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`,
    noJobsTitle: 'This pipeline has no jobs',
    noJobsText: 'What the file says about it stands on this page.',
    duration: 'took',
    running: 'running for',
    coverage: 'coverage',
    showMessage: 'Whole commit message',
  },

  job: {
    title: (name: string): string => `Job ${name}`,
    facts: 'About this job',
    runner: 'Runner',
    noRunner: 'no runner yet',
    stage: 'Stage',
    queued: 'Waited',
    duration: 'Took',
    runningFor: 'Running for',
    started: 'Started',
    finished: 'Finished',
    coverage: 'Coverage',
    exitCode: 'Exit code',
    needs: 'Needs',
    needsStage: 'the stages before',
    needsNothing: 'nothing',
    tags: 'Tags',
    environment: 'Environment',
    rule: 'Let in by',
    attempt: 'Attempt',
    artifacts: 'Artifacts',
    download: (name: string): string => `Download ${name}`,
    allowFailure: 'May fail',
    yes: 'yes',
    cancel: 'Cancel job',
    retry: 'Retry job',
    play: 'Run job',
    superseded: 'This job was retried; a newer run of it exists.',
  },

  log: {
    title: 'Log',
    tools: 'Log tools',
    follow: 'Follow',
    followHint: 'Keep the newest line in view',
    top: 'To the top',
    bottom: 'To the end',
    nextError: 'Next error',
    previousError: 'Previous error',
    errors: (at: number, n: number): string => `error ${at} of ${n}`,
    raw: 'Raw',
    lines: (n: number): string => count(n, 'line', 'lines'),
    line: (n: number): string => `Line ${n}`,
    waitingTitle: 'No log yet',
    waitingText: 'The log appears here as soon as the job starts to print.',
    emptyTitle: 'The job printed nothing',
    expand: (name: string): string => `Show section ${name}`,
    collapse: (name: string): string => `Hide section ${name}`,
    cut: (size: string): string => `… ${size} more of this line, see Raw`,
    reading: (share: number): string => `${Math.floor(share * 100)} % read`,
    tail: (share: number): string =>
      `The last lines of a long log; ${Math.floor(share * 100)} % of it is read.`,
    search: 'Search the log',
    regex: 'Regular expression',
    matches: (at: number, n: number, more: boolean): string => {
      if (n === 0) return more ? 'nothing found in time' : 'nothing found';
      const many = more ? `${n} and more` : String(n);
      return at > 0 ? `${at} of ${many}` : count(n, 'line', 'lines').replace(String(n), many);
    },
    matchList: 'Lines found',
    nextMatch: 'Next line found',
    previousMatch: 'Previous line found',
    clearSearch: 'Clear the search',
    foldAll: 'Hide all sections',
    unfoldAll: 'Show all sections',
    wrap: 'Wrap',
    wrapHint: 'Break long lines at the edge',
    moments: 'Times',
    momentsHint: 'Show when each line was printed (UTC)',
    copyAll: 'Copy the log',
    copyLines: (from: number, to: number): string =>
      from === to ? `Copy line ${from}` : `Copy lines ${from} to ${to}`,
    download: 'Download the log',
    offline: 'The log stream is cut. It goes on by itself when the server answers.',
  },

  keys: {
    title: 'Keys',
    help: 'Show these keys',
    projects: 'Go to the projects',
    runners: 'Go to the runners',
    searchLog: 'Search the log',
    nextMatch: 'Next line found',
    previousMatch: 'Previous line found',
    nextError: 'Next error of a failed job',
    previousError: 'Previous error of a failed job',
    wrap: 'Wrap long lines',
    moments: 'Show times, if the log has them',
    copy: 'Copy the chosen lines, or the log',
  },

  runnerList: {
    title: 'Runners',
    add: 'New runner',
    emptyTitle: 'No runner yet',
    emptyText:
      'Jobs wait until a runner takes them. Create one here, then register it on the machine that should run jobs.',
    description: 'Description',
    descriptionHint: 'What you will recognise it by, such as the name of the machine.',
    tags: 'Tags',
    tagsHint: 'Separated by commas. A job with tags runs only on a runner that has all of them.',
    untagged: 'Also run jobs without tags',
    submit: 'Create runner',
    created: 'The runner is created. Register it on its machine:',
    tokenText: 'The token is shown only now.',
    token: 'Runner token',
    command: 'Command',
    statuses: {
      online: 'Online',
      offline: 'Offline',
      stale: 'Stale',
      never_contacted: 'Never contacted',
    },
    paused: 'Paused',
    pause: 'Pause',
    resume: 'Resume',
    remove: 'Delete',
    pauseNamed: (name: string): string => `Pause ${name}`,
    resumeNamed: (name: string): string => `Resume ${name}`,
    removeNamed: (name: string): string => `Delete ${name}`,
    confirmRemove: (name: string): string =>
      `Delete ${name}? Its token stops working at once and it can take no more jobs.`,
    contacted: 'Last contact',
    never: 'never',
    jobs: (n: number): string => count(n, 'job running', 'jobs running'),
    idle: 'idle',
    managers: 'Managers',
    noManagers: 'No machine has registered with its token yet.',
    noTags: 'no tags',
    untaggedToo: 'also jobs without tags',
    unnamed: (id: number): string => `Runner ${id}`,
  },
};
