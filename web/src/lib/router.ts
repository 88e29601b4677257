// The grammar of addresses: `/` projects, `/<project path>[/-/…]`, and `/-/…` for what belongs to no project. Pure: text
// to a route and back.

export type Route =
  | { page: 'projects' }
  | { page: 'runners' }
  | { page: 'settings' }
  | { page: 'users' }
  | { page: 'invitation' }
  | { page: 'login' }
  | { page: 'setup' }
  | { page: 'project'; project: string; tab: ProjectTab }
  | { page: 'pipeline'; project: string; id: number }
  | { page: 'job'; project: string; id: number }
  | { page: 'not_found' };

export type ProjectTab =
  | 'pipelines'
  | 'environments'
  | 'schedules'
  | 'editor'
  | 'coverage'
  | 'tests'
  | 'deliveries'
  | 'variables'
  | 'members';

const globalPages = new Set(['runners', 'settings', 'users', 'invitation', 'login', 'setup']);
const projectTabs = new Set([
  'environments',
  'schedules',
  'editor',
  'coverage',
  'tests',
  'deliveries',
  'variables',
  'members',
]);
const segment = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;
const notFound: Route = { page: 'not_found' };

function number(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}

function projectRoute(project: string, rest: string[]): Route {
  if (rest.length === 0) return { page: 'project', project, tab: 'pipelines' };
  const [kind, id, ...more] = rest;
  if (more.length > 0) return notFound;
  if (kind === 'pipelines' && id === undefined)
    return { page: 'project', project, tab: 'pipelines' };
  if (kind !== undefined && projectTabs.has(kind) && id === undefined) {
    return { page: 'project', project, tab: kind as ProjectTab };
  }
  const value = number(id);
  if (value === null) return notFound;
  if (kind === 'pipelines') return { page: 'pipeline', project, id: value };
  if (kind === 'jobs') return { page: 'job', project, id: value };
  return notFound;
}

export function parseRoute(pathname: string): Route {
  const parts = pathname.split('/').filter((part) => part !== '');
  if (parts.length === 0) return { page: 'projects' };
  if (parts[0] === '-') {
    const name = parts[1] ?? '';
    return parts.length === 2 && globalPages.has(name) ? ({ page: name } as Route) : notFound;
  }
  const dash = parts.indexOf('-');
  const project = dash === -1 ? parts : parts.slice(0, dash);
  if (!project.every((part) => segment.test(part))) return notFound;
  return projectRoute(project.join('/'), dash === -1 ? [] : parts.slice(dash + 1));
}

export const link = {
  projects: (): string => '/',
  runners: (): string => '/-/runners',
  settings: (): string => '/-/settings',
  users: (): string => '/-/users',
  login: (next?: string): string =>
    next === undefined || next === '/' ? '/-/login' : `/-/login?next=${encodeURIComponent(next)}`,
  setup: (): string => '/-/setup',
  project: (project: string, tab: ProjectTab = 'pipelines'): string =>
    tab === 'pipelines' ? `/${project}` : `/${project}/-/${tab}`,
  pipeline: (project: string, id: number): string => `/${project}/-/pipelines/${id}`,
  job: (project: string, id: number): string => `/${project}/-/jobs/${id}`,
};

/** Where a login may lead back to: a path of this site, never another host (`//host`, `/\host`). */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : '/';
}
