// What the tests of the mock's pipelines say: a few that tell everything a page has to show.
const suite = (cases) => {
  const count = (status) => cases.filter((one) => one.status === status).length;
  return {
    name: 'test',
    total_time: cases.reduce((sum, one) => sum + one.execution_time, 0),
    total_count: cases.length,
    success_count: count('success'),
    failed_count: count('failed'),
    skipped_count: count('skipped'),
    error_count: count('error'),
    suite_error: null,
  };
};

const one = (job, key, status, name, values = {}) => ({
  status,
  name,
  classname: 'Basket',
  file: 'test/basket.test.js',
  execution_time: 0.012,
  system_output: null,
  attachment: null,
  key,
  flaky: false,
  job: { id: job.id, name: job.name },
  ...values,
});

export function testsOf(job) {
  return [
    one(job, 'aaaaaaaaaaaaaaaa', 'failed', 'adds the tax', {
      system_output: 'expected 119 to equal 120\n    at test/basket.test.js:41:12',
      execution_time: 1.8,
    }),
    one(job, 'bbbbbbbbbbbbbbbb', 'success', 'waits for the stock', {
      flaky: true,
      system_output: 'timed out after 500 ms',
    }),
    one(job, 'cccccccccccccccc', 'skipped', 'ships abroad', { system_output: 'no carrier yet' }),
    one(job, 'dddddddddddddddd', 'success', 'is empty at first'),
  ];
}

export function summaryOf(cases, job) {
  const sums = suite(cases);
  return {
    total: {
      time: sums.total_time,
      count: sums.total_count,
      success: sums.success_count,
      failed: sums.failed_count,
      skipped: sums.skipped_count,
      error: sums.error_count,
      suite_error: null,
    },
    test_suites: cases.length === 0 ? [] : [{ ...sums, build_ids: [job.id] }],
  };
}

export function comparisonOf(cases) {
  const brief = ({ status, name, classname, key, job }) => ({ status, name, classname, key, job });
  const failed = cases.filter((test) => test.status === 'failed').map(brief);
  return {
    base: { pipeline_id: 30, ref: 'main' },
    new_failures: failed,
    existing_failures: [],
    fixed: [],
  };
}

export function historyOf(job) {
  return ['failed', 'not_failed', 'failed', 'not_failed'].map((status, index) => ({
    job_id: job - index,
    pipeline_id: 30 - index,
    ref: 'main',
    sha: String(index).repeat(40),
    status,
    created_at: new Date(Date.now() - index * 4e6).toISOString(),
  }));
}

export const flaky = [
  {
    job: { id: 1002, name: 'test' },
    key: 'bbbbbbbbbbbbbbbb',
    classname: 'Basket',
    name: 'waits for the stock',
    file: 'test/basket.test.js',
    sha: 'a'.repeat(40),
    count: 3,
    first_seen_at: new Date(Date.now() - 9e8).toISOString(),
    last_seen_at: new Date(Date.now() - 4e6).toISOString(),
  },
];
