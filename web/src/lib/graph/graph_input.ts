// Turns the jobs of a pipeline into what a layout needs: a column for each job and the edges between them. Pure.
//
// A stage is one column, or several when jobs of a stage need each other. A job with `needs` has an edge from each needed
// job. A job without waits for the whole stage before: those edges meet in a gate between the columns, so that ten jobs
// waiting for ten do not become a hundred lines.

export interface GraphJob {
  id: number;
  name: string;
  stage: string;
  needs: string[] | null;
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: 'need' | 'stage';
}

export interface GraphStage {
  name: string;
  column: number;
  columns: number;
}

/** Ranks are twice the column, so that gates find a place between. */
export interface GraphInput {
  stages: GraphStage[];
  jobs: { key: string; id: number; rank: number }[];
  gates: { key: string; rank: number }[];
  edges: GraphEdge[];
}

export const jobKey = (id: number): string => `job${id}`;

/** A need on a job that was multiplied by `parallel` means all of its copies: "test 1/3", "test: [arm, debug]". */
export function isNeeded(need: string, name: string): boolean {
  if (name === need) return true;
  if (!name.startsWith(need)) return false;
  return /^(: \[.*\]| \d+\/\d+)$/.test(name.slice(need.length));
}

function neededJobs(job: GraphJob, jobs: GraphJob[]): GraphJob[] {
  const needs = job.needs ?? [];
  return jobs.filter(
    (other) => other.id !== job.id && needs.some((need) => isNeeded(need, other.name)),
  );
}

function depthInStage(job: GraphJob, jobs: GraphJob[], seen: Set<number> = new Set()): number {
  if (seen.has(job.id)) return 0;
  const inStage = neededJobs(job, jobs).filter((other) => other.stage === job.stage);
  const path = new Set(seen).add(job.id);
  return inStage.reduce((depth, other) => Math.max(depth, 1 + depthInStage(other, jobs, path)), 0);
}

export function graphInput(jobs: GraphJob[], stageOrder: string[]): GraphInput {
  const names = [...new Set([...stageOrder, ...jobs.map((job) => job.stage)])];
  const input: GraphInput = { stages: [], jobs: [], gates: [], edges: [] };
  const rank = new Map<number, number>();
  let column = 0;
  let before: GraphJob[] = [];
  for (const name of names) {
    const members = jobs.filter((job) => job.stage === name);
    if (members.length === 0) continue;
    const depths = members.map((job) => depthInStage(job, jobs));
    const columns = Math.max(...depths) + 1;
    input.stages.push({ name, column, columns });
    members.forEach((job, index) => {
      const at = 2 * (column + (depths[index] ?? 0));
      rank.set(job.id, at);
      input.jobs.push({ key: jobKey(job.id), id: job.id, rank: at });
    });
    addGate(input, before, members, 2 * column - 1);
    before = members;
    column += columns;
  }
  for (const job of jobs) {
    for (const needed of neededJobs(job, jobs)) {
      if ((rank.get(needed.id) ?? 0) >= (rank.get(job.id) ?? 0)) continue;
      input.edges.push({ from: jobKey(needed.id), to: jobKey(job.id), kind: 'need' });
    }
  }
  return input;
}

function addGate(input: GraphInput, before: GraphJob[], members: GraphJob[], rank: number): void {
  const waiting = members.filter((job) => job.needs === null);
  if (before.length === 0 || waiting.length === 0) return;
  const key = `gate${rank}`;
  input.gates.push({ key, rank });
  for (const job of before) input.edges.push({ from: jobKey(job.id), to: key, kind: 'stage' });
  for (const job of waiting) input.edges.push({ from: key, to: jobKey(job.id), kind: 'stage' });
}
