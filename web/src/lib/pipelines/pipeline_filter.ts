// What a list of pipelines is cut to. Pure: the address to a filter, and whether a pipeline that an event tells of belongs
// to the list, by the same rules as the server's.
import type { Pipeline } from '../../api/model';

export interface PipelineFilter {
  search: string;
  ref: string;
  username: string;
  status: string;
  source: string;
}

const parts = ['search', 'ref', 'username', 'status', 'source'] as const;

/** The values that an address must lose to show everything. */
export const noFilter: PipelineFilter = {
  search: '',
  ref: '',
  username: '',
  status: '',
  source: '',
};

export function filterOf(query: URLSearchParams): PipelineFilter {
  const filter = { ...noFilter };
  for (const part of parts) filter[part] = query.get(part) ?? '';
  return filter;
}

export function isFiltered(filter: PipelineFilter): boolean {
  return parts.some((part) => filter[part] !== '');
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function found(pipeline: Pipeline, search: string): boolean {
  const wanted = search.toLowerCase();
  const { commit } = pipeline;
  return (
    [commit.title, commit.author_name, pipeline.ref, pipeline.name ?? ''].some((text) =>
      text.toLowerCase().includes(wanted),
    ) ||
    pipeline.sha.startsWith(wanted) ||
    `#${pipeline.iid}` === wanted
  );
}

export function fits(pipeline: Pipeline, filter: PipelineFilter): boolean {
  return (
    (filter.ref === '' || filter.ref === pipeline.ref) &&
    (filter.status === '' || filter.status === pipeline.status) &&
    (filter.source === '' || filter.source === pipeline.source) &&
    (filter.username === '' ||
      same(filter.username, pipeline.user?.username ?? pipeline.commit.author_name)) &&
    (filter.search === '' || found(pipeline, filter.search))
  );
}
