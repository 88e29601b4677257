// Whatever others wrote is text on the page. Each component is drawn once with harmless words and once for each payload:
// the elements and their attributes' names must be the same.
import { flushSync, mount, unmount, type Component } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import type {
  CoverageFile,
  CoverageSummary,
  Deployment,
  Environment,
  Finding,
  FindingsSummary,
  LeftOutJob,
  LinkedPipeline,
  ListedTest,
  PipelineDetail,
  ScanFinding,
  Schedule,
  TestComparison,
  TestReportSummary,
  User,
} from '../../src/api/model';
import { ApiError } from '../../src/api/client';
import Breadcrumb from '../../src/components/Breadcrumb.svelte';
import ErrorNotice from '../../src/components/ErrorNotice.svelte';
import { plainStyle } from '../../src/lib/log/ansi';
import { navigation } from '../../src/lib/navigation.svelte';
import EnvironmentCard from '../../src/pages/environments/EnvironmentCard.svelte';
import JobFacts from '../../src/pages/job/JobFacts.svelte';
import JobHeader from '../../src/pages/job/JobHeader.svelte';
import JobTransfers from '../../src/pages/job/JobTransfers.svelte';
import LogLine from '../../src/pages/job/LogLine.svelte';
import LogSearch from '../../src/pages/job/LogSearch.svelte';
import LogTail from '../../src/pages/job/LogTail.svelte';
import Findings from '../../src/pages/pipeline/Findings.svelte';
import JobCard from '../../src/pages/pipeline/JobCard.svelte';
import LeftOutJobs from '../../src/pages/pipeline/LeftOutJobs.svelte';
import PipelineHeader from '../../src/pages/pipeline/PipelineHeader.svelte';
import CoverageRow from '../../src/pages/pipeline/coverage/CoverageRow.svelte';
import CoverageSums from '../../src/pages/pipeline/coverage/CoverageSums.svelte';
import FindingRow from '../../src/pages/pipeline/security/FindingRow.svelte';
import FindingsSums from '../../src/pages/pipeline/security/FindingsSums.svelte';
import TestRow from '../../src/pages/pipeline/tests/TestRow.svelte';
import TestSummary from '../../src/pages/pipeline/tests/TestSummary.svelte';
import PipelineRow from '../../src/pages/project/PipelineRow.svelte';
import ProjectRow from '../../src/pages/projects/ProjectRow.svelte';
import ScheduleRow from '../../src/pages/schedules/ScheduleRow.svelte';
import RunnerRow from '../../src/pages/runners/RunnerRow.svelte';
import VariableRow from '../../src/pages/variables/VariableRow.svelte';
import { makeJob, makePipeline, makeProject, makeRunner, makeTransfer } from '../support/values';
import { xssCorpus } from '../support/xss_corpus';

const nothing = async () => {};

function linkedOf(text: string): LinkedPipeline {
  return {
    id: 9,
    iid: 2,
    project_id: 2,
    project_path: text,
    status: 'running',
    ref: text,
    sha: 'a'.repeat(40),
    source: text,
    web_url: text,
    created_at: '2025-03-10T11:00:00Z',
    updated_at: '2025-03-10T11:00:00Z',
    job: { id: 3, name: text },
  };
}

function deploymentOf(text: string): Deployment {
  const person: User = {
    id: 2,
    username: text,
    name: text,
    state: 'active',
    bot: false,
    is_admin: false,
  };
  return {
    id: 1,
    iid: 1,
    ref: text,
    tag: false,
    sha: 'a'.repeat(40),
    status: 'blocked',
    kind: 'rollback',
    created_at: '2025-03-10T11:00:00Z',
    updated_at: '2025-03-10T11:00:00Z',
    finished_at: null,
    user: person,
    environment: { id: 1, name: text, external_url: null },
    deployable: makeJob({ name: text, reason: { code: 'waiting_for_approval', text } }),
    commit: { id: 'a'.repeat(40), short_id: 'aaaaaaaa', title: text, author_name: text },
    previous_sha: 'b'.repeat(40),
    approvals: [
      { user: person, status: 'approved', comment: text, created_at: '2025-03-10T11:00:00Z' },
    ],
    pending_approval_count: 1,
  };
}

function environmentOf(text: string): Environment {
  return {
    id: 1,
    name: text,
    slug: 'x',
    tier: 'production',
    external_url: 'https://example.test',
    state: 'available',
    folder: text,
    auto_stop_at: '2025-03-10T11:00:00Z',
    created_at: '2025-03-10T11:00:00Z',
    updated_at: '2025-03-10T11:00:00Z',
    stops_by: text,
    protection: null,
    last_deployment: deploymentOf(text),
    upcoming_deployment: deploymentOf(text),
  };
}

function scheduleOf(text: string): Schedule {
  return {
    id: 1,
    description: text,
    ref: text,
    cron: text,
    cron_timezone: text,
    next_run_at: null,
    active: false,
    created_at: '2025-03-10T11:00:00Z',
    updated_at: '2025-03-10T11:00:00Z',
    owner: { id: 2, username: text, name: text, state: 'active', bot: false, is_admin: false },
    last_run: {
      due_at: '2025-03-10T11:00:00Z',
      missed: 1,
      by_hand: false,
      state: 'failed',
      reason: text,
      pipeline_id: 1,
    },
  };
}

function pipelineOf(text: string): PipelineDetail {
  const base = makePipeline();
  return {
    ...base,
    ref: text,
    source: text,
    reason: { code: 'x', text },
    findings_gate: { state: 'failed', text },
    commit: {
      ...base.commit,
      title: text,
      message: `${text}\n\n${text}`,
      author_name: text,
      short_id: text,
    },
    stages: [{ name: text, status: 'running' }],
    upstream_pipeline: linkedOf(text),
    left_out: [],
    diagnostics: [],
  };
}

function jobOf(text: string) {
  return makeJob({
    name: text,
    stage: text,
    reason: { code: 'x', text },
    needs: [text],
    tag_list: [text],
    environment: text,
    runner: { id: 1, description: text },
    rule: { file: text, line: 1 },
    artifacts: [{ file_type: 'archive', size: 1, filename: text, file_format: 'zip', kept: false }],
  });
}

const testOf = (text: string): ListedTest => ({
  status: 'failed',
  name: text,
  classname: text,
  file: text,
  execution_time: 1,
  system_output: text,
  attachment: text,
  key: '0123456789abcdef',
  flaky: true,
  job: { id: 1, name: text },
});
const summaryOf = (text: string): TestReportSummary => {
  const total = { time: 1, count: 1, success: 0, failed: 1, skipped: 0, error: 0 };
  const sums = { total_time: 1, total_count: 1, success_count: 0, failed_count: 1 };
  const none = { skipped_count: 0, error_count: 0 };
  return {
    total: { ...total, suite_error: null },
    test_suites: [{ ...sums, ...none, name: text, suite_error: text, build_ids: [1] }],
  };
};
const comparisonOf = (text: string): TestComparison => ({
  base: { pipeline_id: 1, ref: text },
  new_failures: [testOf(text) as ListedTest & { status: 'failed' }],
  existing_failures: [],
  fixed: [],
});

const coverageFileOf = (path: string): CoverageFile => ({
  path,
  covered: 1,
  total: 2,
  percent: 50,
  before: 75,
});
const coverageSumsOf = (text: string): CoverageSummary => ({
  ...coverageFileOf(text),
  files: 1,
  reports: [{ job: { id: 1, name: text }, files: 1, error: text }],
  base: { pipeline_id: 1, ref: text, covered: 3, total: 4, percent: 75 },
});

const scanFindingOf = (text: string): ScanFinding => ({
  fingerprint: text,
  kind: text,
  state: 'new',
  severity: 'critical',
  name: text,
  description: text,
  solution: text,
  file: text,
  line: 1,
  subject: text,
  identifiers: [text, text],
  scanner: text,
  job_id: 1,
});
const noFindings = { critical: 1, high: 0, medium: 0, low: 0, info: 0, unknown: 0 };
const findingsSumsOf = (text: string): FindingsSummary => ({
  counts: { new: noFindings, known: noFindings, fixed: noFindings },
  reports: [{ job: { id: 1, name: text }, kind: text, findings: 1, left_out: 1, error: text }],
  bases: [
    { kind: text, ref: text, pipeline_id: 1 },
    { kind: text, ref: text, pipeline_id: null },
  ],
});

const leftOut = (text: string): LeftOutJob => ({
  name: text,
  stage: text,
  reason: { code: 'x', text },
  file: text,
  line: 1,
});
const finding = (text: string): Finding => ({
  severity: 'error',
  code: 'x',
  message: text,
  hint: text,
  file: text,
  line: 1,
  column: 1,
});
const managers = (text: string) => [
  {
    system_id: text,
    version: text,
    platform: text,
    architecture: text,
    executor: text,
    ip_address: text,
    contacted_at: '2025-03-10T11:00:00Z',
    status: 'online' as const,
  },
];

// Each component has properties of its own, which no one type can say.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type AnyComponent = Component<any>;

const places: [string, AnyComponent, (text: string) => Record<string, unknown>][] = [
  ['an error', ErrorNotice, (text) => ({ error: new ApiError(400, text, text) })],
  ['a breadcrumb', Breadcrumb, (text) => ({ steps: [{ text, href: '/x' }] })],
  ['a pipeline in a list', PipelineRow, (text) => ({ path: 'a/b', pipeline: pipelineOf(text) })],
  [
    'the head of a pipeline',
    PipelineHeader,
    (text) => ({ pipeline: pipelineOf(text), jobs: [], change: nothing }),
  ],
  ['a job in the graph', JobCard, (text) => ({ project: 'a/b', job: jobOf(text), act: nothing })],
  [
    'a trigger job in the graph',
    JobCard,
    (text) => ({
      project: 'a/b',
      job: { ...jobOf(text), is_bridge: true, downstream_pipeline: linkedOf(text) },
      act: nothing,
    }),
  ],
  [
    'a schedule',
    ScheduleRow,
    (text) => ({
      path: 'a/b',
      schedule: scheduleOf(text),
      busy: false,
      play: nothing,
      take: nothing,
      edit: nothing,
      remove: nothing,
    }),
  ],
  [
    'an environment',
    EnvironmentCard,
    (text) => ({ path: 'a/b', environment: environmentOf(text), act: nothing }),
  ],
  ['the head of a job', JobHeader, (text) => ({ job: jobOf(text), change: nothing })],
  ['the facts of a job', JobFacts, (text) => ({ project: 'a/b', job: jobOf(text) })],
  [
    'what a job brought in and stored',
    JobTransfers,
    (text) => ({ transfers: [makeTransfer({ name: text, keys: [text, text], result: 'hit' })] }),
  ],
  ['a test', TestRow, (text) => ({ project: 'a/b', test: testOf(text), fresh: true, open: true })],
  [
    'the sums of tests',
    TestSummary,
    (text) => ({ project: 'a/b', summary: summaryOf(text), comparison: comparisonOf(text) }),
  ],
  [
    'the coverage of a file',
    CoverageRow,
    (text) => ({ project: 'a/b', id: 1, file: coverageFileOf(text), open: true }),
  ],
  [
    'the sums of coverage',
    CoverageSums,
    (text) => ({ project: 'a/b', summary: coverageSumsOf(text) }),
  ],
  [
    'what a scanner found',
    FindingRow,
    (text) => ({ project: 'a/b', finding: scanFindingOf(text), open: true }),
  ],
  [
    'the sums of what scanners found',
    FindingsSums,
    (text) => ({
      project: 'a/b',
      summary: findingsSumsOf(text),
      gate: { state: 'failed', text },
    }),
  ],
  ['a job left out', LeftOutJobs, (text) => ({ jobs: [leftOut(text)] })],
  ['a finding', Findings, (text) => ({ findings: [finding(text)] })],
  [
    'a project',
    ProjectRow,
    (text) => ({
      project: makeProject({ path_with_namespace: text, last_pipeline: pipelineOf(text) }),
    }),
  ],
  [
    'a runner',
    RunnerRow,
    (text) => ({
      runner: makeRunner({
        description: text,
        maintenance_note: text,
        tag_list: [text],
        managers: managers(text),
      }),
      changed: nothing,
      removed: nothing,
    }),
  ],
  [
    'a variable',
    VariableRow,
    (text) => ({
      owner: { kind: 'instance' },
      variable: {
        key: text,
        value: text,
        variable_type: 'env_var',
        protected: true,
        masked: false,
        hidden: false,
        raw: false,
        environment_scope: text,
        description: text,
      },
      edit: nothing,
      removed: nothing,
    }),
  ],
];

/** Elements with the names of their attributes, in document order. */
function skeleton(root: Element): string[] {
  return Array.from(root.querySelectorAll('*'), (element) =>
    [element.tagName, ...element.getAttributeNames().sort()].join(' '),
  );
}

function draw<T>(
  component: AnyComponent,
  props: Record<string, unknown>,
  look: (root: Element) => T,
): T {
  const target = document.createElement('div');
  const mounted = mount(component, { target, props });
  flushSync();
  const seen = look(target);
  void unmount(mounted);
  return seen;
}

describe.each(places)('%s', (_, component, props) => {
  const template = draw(component, props('harmless'), skeleton);

  it('shows every payload as text', () => {
    for (const payload of xssCorpus) {
      draw(component, props(payload), (root) => {
        expect(skeleton(root), payload).toEqual(template);
        for (const link of root.querySelectorAll('a'))
          expect(link.protocol, payload).toMatch(/^https?:$/);
      });
    }
  });
});

describe('a line of a log', () => {
  const props = (raw: string) => ({
    line: 0,
    text: { raw, moment: null, left: 0 },
    wrap: false,
    moments: false,
    startStyle: plainStyle,
    section: undefined,
    end: null,
    open: true,
    chosen: false,
    marked: false,
    toggle: nothing,
    choose: nothing,
  });

  it.each(xssCorpus.map((payload) => [payload.slice(0, 50), payload]))(
    'shows %j as text',
    (_, payload) => {
      draw(LogLine, props(payload), (root) => {
        for (const element of root.querySelectorAll('.text *')) {
          expect(element.tagName).toBe('SPAN');
          expect(['class', 'style']).toEqual(expect.arrayContaining(element.getAttributeNames()));
        }
        expect(root.querySelectorAll('script, img, iframe, svg, [onerror], [onload]')).toHaveLength(
          0,
        );
        expect(Array.from(root.querySelectorAll('a'), (link) => link.getAttribute('href'))).toEqual(
          ['#L1'],
        );
      });
    },
  );

  it('sets no style but colours', () => {
    draw(LogLine, props('\u001b[38;2;1;2;3;48;5;200mx'), (root) => {
      const style = root.querySelector<HTMLElement>('.text span')!.style;
      expect(Array.from(style)).toEqual(['color', 'background-color']);
    });
  });

  it('of megabytes is cut, and says so', () => {
    const text = { raw: 'xx', moment: null, left: 4_980_000 };
    draw(LogLine, { ...props(''), text }, (root) => {
      expect(root.querySelector('.text')!.textContent).toBe(
        'xx… 5.0 MB more of this line, see Raw',
      );
    });
  });

  it('says when it was printed, if that is wanted', () => {
    const text = { raw: 'x', moment: '2024-05-22T12:43:46.962646Z', left: 0 };
    draw(LogLine, { ...props(''), text, moments: true }, (root) => {
      expect(root.querySelector('.moment')!.textContent).toBe('12:43:46.962');
    });
  });
});

describe('the end of a log', () => {
  it('shows every payload as text', () => {
    draw(LogTail, { lines: xssCorpus, read: 0.5 }, (root) => {
      for (const element of root.querySelectorAll('.line *')) expect(element.tagName).toBe('SPAN');
      expect(root.querySelectorAll('.line')).toHaveLength(xssCorpus.length);
    });
  });
});

describe('the search in a log', () => {
  it('shows every line found as text', async () => {
    const matches = xssCorpus.map((text, line) => ({ line, offset: line, text }));
    vi.stubGlobal('fetch', () =>
      Promise.resolve(new Response(JSON.stringify({ matches, truncated: false }))),
    );
    navigation.go('/?q=alert');
    const target = document.createElement('div');
    const mounted = mount(LogSearch, { target, props: { project: 'a/b', job: 1, show: nothing } });
    await vi.waitFor(() => expect(target.querySelectorAll('li')).toHaveLength(xssCorpus.length));
    const allowed = ['BUTTON', 'SPAN', 'MARK'];
    for (const element of target.querySelectorAll('li *')) {
      expect(allowed).toContain(element.tagName);
      expect(['class']).toEqual(expect.arrayContaining(element.getAttributeNames()));
    }
    expect(target.querySelector('mark')!.textContent).toBe('alert');
    void unmount(mounted);
    navigation.go('/');
    vi.unstubAllGlobals();
  });
});
