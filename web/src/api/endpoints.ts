// The requests that the pages make, one function each, so that a page never spells an API address.
import { change, get, getPage, withQuery } from './client';
import type {
  AccessToken,
  BrowserSession,
  CoverageFile,
  CoverageLines,
  CoveragePoint,
  CoverageSummary,
  Delivery,
  Deployment,
  Environment,
  FindingsSummary,
  FlakyTest,
  FreezePeriod,
  ForgeRepository,
  ForkRequest,
  Job,
  LintResult,
  ListedTest,
  Member,
  Page,
  Pipeline,
  PipelineDetail,
  PipelineFile,
  PipelineVariable,
  Project,
  ProjectAccessToken,
  RefWatch,
  Runner,
  ScanFinding,
  Schedule,
  ScheduleDetail,
  Status,
  TestComparison,
  TestHistoryPoint,
  TestReportSummary,
  TraceMatches,
  TriggerToken,
  User,
  Variable,
} from './model';
import type { PipelineFilter } from '../lib/pipelines/pipeline_filter';

const api = '/api/v4';
const project = (id: string | number): string => `${api}/projects/${encodeURIComponent(id)}`;

export type SignedInUser = User & { csrf_token?: string | null };

export const currentUser = (): Promise<SignedInUser> => get(`${api}/user`);
export const setupState = (): Promise<{ needed: boolean }> => get(`${api}/setup`);
export const setup = (body: {
  token: string;
  username: string;
  password: string;
}): Promise<{ token: string; user: User }> => change('POST', `${api}/setup`, body);
export const login = (
  username: string,
  password: string,
): Promise<{ user: User; csrf_token: string }> =>
  change('POST', `${api}/session`, { username, password });
export const logout = (): Promise<void> => change('DELETE', `${api}/session`);

export const acceptInvitation = (token: string, password: string): Promise<unknown> =>
  change('POST', `${api}/invitation`, { token, password });
export const changePassword = (current: string, password: string): Promise<unknown> =>
  change('PUT', `${api}/user/password`, { current_password: current, password });
export const listSessions = (signal?: AbortSignal): Promise<BrowserSession[]> =>
  get(`${api}/user/sessions`, {}, signal);
export const endSession = (id: string): Promise<void> =>
  change('DELETE', `${api}/user/sessions/${id}`);

export interface LoginProvider {
  id: string;
  title: string;
}
export const listLoginProviders = (signal?: AbortSignal): Promise<LoginProvider[]> =>
  get(`${api}/login`, {}, signal);
export const beginLogin = (
  provider: string,
  body: { next: string; link?: boolean },
): Promise<{ url: string }> => change('POST', `${api}/login/${encodeURIComponent(provider)}`, body);

export const listUsers = (page: number, signal?: AbortSignal): Promise<Page<User>> =>
  getPage(`${api}/users`, { page, per_page: 50 }, signal);
export const createUser = (body: {
  username: string;
  name: string;
  admin: boolean;
}): Promise<User & { invitation_url: string }> => change('POST', `${api}/users`, body);
export const updateUser = (id: number, body: { admin: boolean }): Promise<User> =>
  change('PUT', `${api}/users/${id}`, body);
export const deleteUser = (id: number): Promise<void> => change('DELETE', `${api}/users/${id}`);
export const setBlocked = (id: number, blocked: boolean): Promise<boolean> =>
  change('POST', `${api}/users/${id}/${blocked ? 'block' : 'unblock'}`);
export const inviteUser = (id: number): Promise<User & { invitation_url: string }> =>
  change('POST', `${api}/users/${id}/invitation`);

export const listMembers = (
  path: string,
  page: number,
  signal?: AbortSignal,
): Promise<Page<Member>> => getPage(`${project(path)}/members/all`, { page, per_page: 50 }, signal);
export const addMember = (path: string, username: string, level: number): Promise<Member> =>
  change('POST', `${project(path)}/members`, { username, access_level: level });
export const updateMember = (path: string, id: number, level: number): Promise<Member> =>
  change('PUT', `${project(path)}/members/${id}`, { access_level: level });
export const removeMember = (path: string, id: number): Promise<void> =>
  change('DELETE', `${project(path)}/members/${id}`);

export const listTokens = (signal?: AbortSignal): Promise<AccessToken[]> =>
  get(`${api}/personal_access_tokens`, {}, signal);
export const createToken = (body: {
  name: string;
  scopes: ('api' | 'read_api' | 'create_runner')[];
  expires_in_days: number;
}): Promise<AccessToken & { token: string }> =>
  change('POST', `${api}/personal_access_tokens`, body);
export const revokeToken = (id: number): Promise<void> =>
  change('DELETE', `${api}/personal_access_tokens/${id}`);

export const listProjects = (
  query: { search?: string; last_pipeline_status?: Status; page?: number },
  signal?: AbortSignal,
): Promise<Page<Project>> => getPage(`${api}/projects`, { ...query, per_page: 50 }, signal);
export const createProject = (body: {
  path: string;
  url: string;
  default_branch?: string;
}): Promise<Project & { webhook_secret: string }> => change('POST', `${api}/projects`, body);
export const getProject = (path: string, signal?: AbortSignal): Promise<Project> =>
  get(project(path), {}, signal);

export const listPipelines = (
  path: string,
  query: PipelineFilter & { page: number },
  signal?: AbortSignal,
): Promise<Page<Pipeline>> =>
  getPage(`${project(path)}/pipelines`, { ...query, per_page: 20 }, signal);
export const getPipeline = (
  path: string,
  id: number,
  signal?: AbortSignal,
): Promise<PipelineDetail> => get(`${project(path)}/pipelines/${id}`, {}, signal);
export const createPipeline = (path: string, ref: string): Promise<PipelineDetail> =>
  change('POST', `${project(path)}/pipeline`, { ref });
export const changePipeline = (
  path: string,
  id: number,
  action: 'cancel' | 'retry',
): Promise<PipelineDetail> => change('POST', `${project(path)}/pipelines/${id}/${action}`);

async function listAllJobs(
  path: string,
  id: number,
  kind: 'jobs' | 'bridges',
  signal?: AbortSignal,
): Promise<Job[]> {
  const jobs: Job[] = [];
  for (let page: number | null = 1; page !== null;) {
    const part: Page<Job> = await getPage<Job>(
      `${project(path)}/pipelines/${id}/${kind}`,
      { page, per_page: 100 },
      signal,
    );
    jobs.push(...part.items);
    page = part.items.length === 0 ? null : part.next;
  }
  return jobs;
}

/** All jobs of a pipeline with its trigger jobs, however many pages the server needs for them, in the order in which
    they were made. */
export async function listPipelineJobs(
  path: string,
  id: number,
  signal?: AbortSignal,
): Promise<Job[]> {
  const [jobs, bridges] = await Promise.all([
    listAllJobs(path, id, 'jobs', signal),
    listAllJobs(path, id, 'bridges', signal),
  ]);
  return bridges.length === 0 ? jobs : [...jobs, ...bridges].sort((a, b) => a.id - b.id);
}

export const getJob = (path: string, id: number, signal?: AbortSignal): Promise<Job> =>
  get(`${project(path)}/jobs/${id}`, {}, signal);
export const changeJob = (
  path: string,
  id: number,
  action: 'cancel' | 'retry' | 'play',
): Promise<Job> => change('POST', `${project(path)}/jobs/${id}/${action}`);
export const traceAddress = (path: string, id: number): string =>
  `${project(path)}/jobs/${id}/trace`;
export const searchTrace = (
  path: string,
  id: number,
  q: string,
  regex: boolean,
  signal?: AbortSignal,
): Promise<TraceMatches> =>
  get(`${project(path)}/jobs/${id}/trace/search`, { q, regex: regex || undefined }, signal);
export const artifactsAddress = (path: string, id: number): string =>
  `${project(path)}/jobs/${id}/artifacts`;

export const coverageHistory = (
  path: string,
  ref: string,
  signal?: AbortSignal,
): Promise<CoveragePoint[]> => get(`${project(path)}/coverage`, { ref }, signal);
export const listDeliveries = (
  path: string,
  page: number,
  signal?: AbortSignal,
): Promise<Page<Delivery>> => getPage(`${project(path)}/deliveries`, { page }, signal);

export const listForgeRepositories = (body: {
  forge: string;
  token: string;
  forge_api_url: string;
  search: string;
  page: number;
}): Promise<{ repositories: ForgeRepository[]; more: boolean }> =>
  change('POST', `${api}/forge_repositories`, body);

const tokensOf = (path: string): string => `${project(path)}/access_tokens`;
export const listProjectTokens = (
  path: string,
  signal?: AbortSignal,
): Promise<ProjectAccessToken[]> => get(tokensOf(path), {}, signal);
export const createProjectToken = (
  path: string,
  body: { name: string; access_level: number; expires_in_days: number },
): Promise<ProjectAccessToken & { token: string }> => change('POST', tokensOf(path), body);
export const revokeProjectToken = (path: string, id: number): Promise<void> =>
  change('DELETE', `${tokensOf(path)}/${id}`);

const triggers = (path: string): string => `${project(path)}/triggers`;
export const listTriggers = (path: string, signal?: AbortSignal): Promise<TriggerToken[]> =>
  get(triggers(path), { per_page: 100 }, signal);
export const createTrigger = (path: string, description: string): Promise<TriggerToken> =>
  change('POST', triggers(path), { description });
export const deleteTrigger = (path: string, id: number): Promise<void> =>
  change('DELETE', `${triggers(path)}/${id}`);

export const getRefWatch = (path: string, signal?: AbortSignal): Promise<RefWatch> =>
  get(`${project(path)}/ref_watch`, {}, signal);

export const listForkRequests = (
  path: string,
  page: number,
  signal?: AbortSignal,
): Promise<Page<ForkRequest>> => getPage(`${project(path)}/fork_requests`, { page }, signal);
export const decideFork = (
  path: string,
  id: number,
  decision: 'approve' | 'reject',
  sha: string,
): Promise<ForkRequest> =>
  change('POST', `${project(path)}/fork_requests/${id}/${decision}`, { sha });

export type VariableOwner = { kind: 'project' | 'group'; path: string } | { kind: 'instance' };
export interface VariableBody {
  value?: string;
  protected: boolean;
  masked: boolean;
  masked_and_hidden?: boolean;
  raw: boolean;
  variable_type: 'env_var' | 'file';
  environment_scope: string;
  description: string;
}
const variables = (owner: VariableOwner): string =>
  owner.kind === 'instance'
    ? `${api}/admin/ci/variables`
    : `${api}/${owner.kind}s/${encodeURIComponent(owner.path)}/variables`;
const variable = (owner: VariableOwner, key: string, scope: string): string =>
  withQuery(`${variables(owner)}/${encodeURIComponent(key)}`, {
    'filter[environment_scope]': scope,
  });
export const listVariables = (
  owner: VariableOwner,
  page: number,
  signal?: AbortSignal,
): Promise<Page<Variable>> => getPage(variables(owner), { page, per_page: 50 }, signal);
export const createVariable = (
  owner: VariableOwner,
  body: VariableBody & { key: string },
): Promise<Variable> => change('POST', variables(owner), body);
export const updateVariable = (
  owner: VariableOwner,
  key: string,
  scope: string,
  body: VariableBody,
): Promise<Variable> => change('PUT', variable(owner, key, scope), body);
export const deleteVariable = (owner: VariableOwner, key: string, scope: string): Promise<void> =>
  change('DELETE', variable(owner, key, scope));

export const getPipelineFile = (
  path: string,
  ref: string,
  signal?: AbortSignal,
): Promise<PipelineFile> => get(`${project(path)}/ci/file`, ref === '' ? {} : { ref }, signal);
export const lint = (
  path: string,
  body: { content: string; ref: string; dry_run: boolean; include_jobs: boolean; event: string },
  signal?: AbortSignal,
): Promise<LintResult> => change('POST', `${project(path)}/ci/lint`, body, signal);

const pipelineOf = (path: string, id: number): string => `${project(path)}/pipelines/${id}`;
export const testSummary = (
  path: string,
  id: number,
  signal?: AbortSignal,
): Promise<TestReportSummary> => get(`${pipelineOf(path, id)}/test_report_summary`, {}, signal);
export const testComparison = (
  path: string,
  id: number,
  signal?: AbortSignal,
): Promise<TestComparison> => get(`${pipelineOf(path, id)}/tests/comparison`, {}, signal);
export const listTests = (
  path: string,
  id: number,
  query: { status?: string; search?: string; page: number },
  signal?: AbortSignal,
): Promise<Page<ListedTest>> =>
  getPage(`${pipelineOf(path, id)}/tests`, { ...query, per_page: 50 }, signal);
export const coverageSummary = (
  path: string,
  id: number,
  signal?: AbortSignal,
): Promise<CoverageSummary> => get(`${pipelineOf(path, id)}/coverage_files/summary`, {}, signal);
export const listCoverageFiles = (
  path: string,
  id: number,
  query: { sort?: string; search?: string; page: number },
  signal?: AbortSignal,
): Promise<Page<CoverageFile>> =>
  getPage(`${pipelineOf(path, id)}/coverage_files`, { ...query, per_page: 50 }, signal);
export const coverageLines = (
  project: string,
  id: number,
  path: string,
  signal?: AbortSignal,
): Promise<CoverageLines> =>
  get(`${pipelineOf(project, id)}/coverage_files/lines`, { path }, signal);
export const findingsSummary = (
  path: string,
  id: number,
  signal?: AbortSignal,
): Promise<FindingsSummary> => get(`${pipelineOf(path, id)}/findings/summary`, {}, signal);
export const listFindings = (
  path: string,
  id: number,
  query: { severity?: string; state?: string; kind?: string; search?: string; page: number },
  signal?: AbortSignal,
): Promise<Page<ScanFinding>> =>
  getPage(`${pipelineOf(path, id)}/findings`, { ...query, per_page: 50 }, signal);
export const testHistory = (
  path: string,
  job: string,
  key: string,
  signal?: AbortSignal,
): Promise<TestHistoryPoint[]> => get(`${project(path)}/tests/history`, { job, key }, signal);
export const listFlakyTests = (
  path: string,
  page: number,
  signal?: AbortSignal,
): Promise<Page<FlakyTest>> =>
  getPage(`${project(path)}/tests/flaky`, { page, per_page: 50 }, signal);

const environments = (path: string): string => `${project(path)}/environments`;
export const listEnvironments = (
  path: string,
  filter: { page: number; states: string; search: string },
  signal?: AbortSignal,
): Promise<Page<Environment>> => getPage(environments(path), { ...filter, per_page: 20 }, signal);
export const stopEnvironment = (path: string, id: number): Promise<Environment> =>
  change('POST', `${environments(path)}/${id}/stop`);
export const rollBack = (path: string, id: number, deployment: number): Promise<Deployment> =>
  change('POST', `${environments(path)}/${id}/rollback`, { deployment_id: deployment });
export const listDeployments = (
  path: string,
  environment: string,
  page: number,
  signal?: AbortSignal,
): Promise<Page<Deployment>> =>
  getPage(`${project(path)}/deployments`, { environment, page, per_page: 20 }, signal);
export const approveDeployment = (
  path: string,
  id: number,
  body: { status: 'approved' | 'rejected'; comment: string; sha: string },
): Promise<Deployment> => change('POST', `${project(path)}/deployments/${id}/approval`, body);
export const listFreezePeriods = (path: string, signal?: AbortSignal): Promise<FreezePeriod[]> =>
  get(`${project(path)}/freeze_periods`, {}, signal);

const schedules = (path: string): string => `${project(path)}/pipeline_schedules`;
export const listSchedules = (
  path: string,
  page: number,
  signal?: AbortSignal,
): Promise<Page<Schedule>> => getPage(schedules(path), { page, per_page: 20 }, signal);
export const getSchedule = (
  path: string,
  id: number,
  signal?: AbortSignal,
): Promise<ScheduleDetail> => get(`${schedules(path)}/${id}`, {}, signal);
export interface ScheduleFields {
  description: string;
  ref: string;
  cron: string;
  cron_timezone: string;
  active: boolean;
}
export const createSchedule = (
  path: string,
  body: ScheduleFields & { variables: PipelineVariable[] },
): Promise<ScheduleDetail> => change('POST', schedules(path), body);
export const updateSchedule = (
  path: string,
  id: number,
  body: Partial<ScheduleFields>,
): Promise<ScheduleDetail> => change('PUT', `${schedules(path)}/${id}`, body);
const scheduleVariables = (path: string, id: number): string =>
  `${schedules(path)}/${id}/variables`;
export const addScheduleVariable = (
  path: string,
  id: number,
  variable: PipelineVariable,
): Promise<PipelineVariable> => change('POST', scheduleVariables(path, id), variable);
export const changeScheduleVariable = (
  path: string,
  id: number,
  key: string,
  value: string,
): Promise<PipelineVariable> =>
  change('PUT', `${scheduleVariables(path, id)}/${encodeURIComponent(key)}`, { value });
export const removeScheduleVariable = (path: string, id: number, key: string): Promise<void> =>
  change('DELETE', `${scheduleVariables(path, id)}/${encodeURIComponent(key)}`);
export const deleteSchedule = (path: string, id: number): Promise<void> =>
  change('DELETE', `${schedules(path)}/${id}`);
export const playSchedule = (path: string, id: number): Promise<{ message: string }> =>
  change('POST', `${schedules(path)}/${id}/play`);
export const takeSchedule = (path: string, id: number): Promise<ScheduleDetail> =>
  change('POST', `${schedules(path)}/${id}/take_ownership`);

export const listRunners = (signal?: AbortSignal): Promise<Runner[]> =>
  get(`${api}/runners`, {}, signal);
export const createRunner = (body: {
  runner_type: 'instance_type';
  description?: string;
  tag_list?: string[];
  run_untagged?: boolean;
}): Promise<{ id: number; token: string }> => change('POST', `${api}/user/runners`, body);
export const updateRunner = (id: number, body: { paused: boolean }): Promise<Runner> =>
  change('PUT', `${api}/runners/${id}`, body);
export const deleteRunner = (id: number): Promise<void> => change('DELETE', `${api}/runners/${id}`);
export const eventsAddress = `${api}/events`;
