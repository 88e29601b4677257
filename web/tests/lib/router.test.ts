import { describe, expect, it } from 'vitest';
import { link, parseRoute, safeNext } from '../../src/lib/router';

describe('an address', () => {
  it.each([
    ['/', { page: 'projects' }],
    ['/-/runners', { page: 'runners' }],
    ['/-/login', { page: 'login' }],
    ['/-/users', { page: 'users' }],
    ['/-/invitation', { page: 'invitation' }],
    ['/a/b/-/members', { page: 'project', project: 'a/b', tab: 'members' }],
    ['/-/setup', { page: 'setup' }],
    ['/group/shop', { page: 'project', project: 'group/shop', tab: 'pipelines' }],
    ['/group/shop/', { page: 'project', project: 'group/shop', tab: 'pipelines' }],
    ['/shop', { page: 'project', project: 'shop', tab: 'pipelines' }],
    ['/a/b/c/-/coverage', { page: 'project', project: 'a/b/c', tab: 'coverage' }],
    ['/a/b/-/editor', { page: 'project', project: 'a/b', tab: 'editor' }],
    ['/a/b/-/tests', { page: 'project', project: 'a/b', tab: 'tests' }],
    ['/a/b/-/schedules', { page: 'project', project: 'a/b', tab: 'schedules' }],
    ['/a/b/-/deliveries', { page: 'project', project: 'a/b', tab: 'deliveries' }],
    ['/a/b/-/pipelines', { page: 'project', project: 'a/b', tab: 'pipelines' }],
    ['/a/b/-/pipelines/12', { page: 'pipeline', project: 'a/b', id: 12 }],
    ['/a/b/-/jobs/7', { page: 'job', project: 'a/b', id: 7 }],
  ])('%s leads to its page', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it.each([
    '/-/nothing',
    '/-',
    '/-/runners/3',
    '/a/b/-/jobs',
    '/a/b/-/jobs/0',
    '/a/b/-/jobs/7x',
    '/a/b/-/jobs/-7',
    '/a/b/-/jobs/7/8',
    '/a/b/-/jobs/99999999999999999',
    '/a/b/-/secrets/1',
    '/a/<b>',
    '/a/%2e%2e/b',
    '/-a/b',
  ])('%s leads nowhere', (path) => {
    expect(parseRoute(path)).toEqual({ page: 'not_found' });
  });

  it('that was made for a page leads back to it', () => {
    expect(parseRoute(link.pipeline('a/b', 3))).toEqual({
      page: 'pipeline',
      project: 'a/b',
      id: 3,
    });
    expect(parseRoute(link.job('a/b', 4))).toEqual({ page: 'job', project: 'a/b', id: 4 });
    expect(parseRoute(link.project('a/b', 'coverage'))).toMatchObject({ tab: 'coverage' });
    expect(parseRoute(link.runners())).toEqual({ page: 'runners' });
  });

  it('to return to after the login stands in the query', () => {
    expect(link.login('/a/b?x=1#L2')).toBe('/-/login?next=%2Fa%2Fb%3Fx%3D1%23L2');
    expect(link.login('/')).toBe('/-/login');
  });
});

describe('after the login', () => {
  it.each(['//evil.test', '/\\evil.test', 'https://evil.test', 'javascript:alert(1)', '', null])(
    'nobody is led to %s',
    (next) => {
      expect(safeNext(next)).toBe('/');
    },
  );

  it('the page that was asked for comes', () => {
    expect(safeNext('/a/b/-/jobs/7#L3')).toBe('/a/b/-/jobs/7#L3');
  });
});
