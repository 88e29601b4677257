// Places the graph with dagre, which orders the jobs of a column so that few edges cross and leads long edges between
// the cards. Loaded only by pages that show a graph.
import dagre from '@dagrejs/dagre';
import type { GraphInput } from './graph_input';

export const cardWidth = 236;
export const cardHeight = 82;
const headerHeight = 34;

export interface Point {
  x: number;
  y: number;
}

export interface GraphLayout {
  width: number;
  height: number;
  /** Upper left corners, by job id. */
  cards: Map<number, Point>;
  stages: { name: string; x: number; width: number }[];
  edges: { path: string; from: string; to: string; kind: 'need' | 'stage' }[];
}

const root = 'root';

function toDagre(input: GraphInput): dagre.graphlib.Graph {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, edgesep: 14, ranksep: 26, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  const ranks = new Map<string, number>();
  for (const job of input.jobs) {
    ranks.set(job.key, job.rank);
    graph.setNode(job.key, { width: cardWidth, height: cardHeight });
  }
  for (const gate of input.gates) {
    ranks.set(gate.key, gate.rank);
    graph.setNode(gate.key, { width: 1, height: 1 });
  }
  const rankOf = (key: string): number => ranks.get(key) ?? 0;
  // An edge as long as its columns are apart, and a root before what nothing leads to, leave dagre exactly one choice of
  // ranks: ours.
  for (const { from, to } of input.edges)
    graph.setEdge(from, to, { minlen: rankOf(to) - rankOf(from) });
  graph.setNode(root, { width: 1, height: 1 });
  for (const key of ranks.keys()) {
    if ((graph.inEdges(key) ?? []).length === 0)
      graph.setEdge(root, key, { minlen: rankOf(key) + 1 });
  }
  return graph;
}

function curve(points: Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  let from = first;
  for (const to of rest) {
    const middle = (from.x + to.x) / 2;
    path += from.y === to.y ? `H${to.x}` : `C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
    from = to;
  }
  return path;
}

/** Where an edge passes a column it goes straight, so that it never cuts the corner of a card; between columns it is free. */
function throughColumns(points: Point[], columns: Set<number>): Point[] {
  return points
    .filter((point) => columns.has(Math.round(point.x)))
    .flatMap((point) => [
      { x: point.x - cardWidth / 2, y: point.y },
      { x: point.x + cardWidth / 2, y: point.y },
    ]);
}

const round = (value: number): number => Math.round(value * 10) / 10;

export function layoutGraph(input: GraphInput): GraphLayout {
  const graph = toDagre(input);
  dagre.layout(graph);
  const left = Math.min(...input.jobs.map((job) => graph.node(job.key).x)) - cardWidth / 2;
  const top = Math.min(...input.jobs.map((job) => graph.node(job.key).y)) - cardHeight / 2;
  const place = (point: Point): Point => ({
    x: round(point.x - left),
    y: round(point.y - top + headerHeight),
  });

  const centres = new Map(input.jobs.map((job) => [job.key, place(graph.node(job.key))]));
  const columns = new Set([...centres.values()].map((point) => Math.round(point.x)));
  const cards = new Map<number, Point>();
  for (const job of input.jobs) {
    const centre = centres.get(job.key) ?? { x: 0, y: 0 };
    cards.set(job.id, { x: centre.x - cardWidth / 2, y: centre.y - cardHeight / 2 });
  }
  const end = (key: string, side: 1 | -1): Point => {
    const centre = centres.get(key);
    return centre === undefined
      ? place(graph.node(key))
      : { x: centre.x + (side * cardWidth) / 2, y: centre.y };
  };
  const edges = input.edges.map((edge) => {
    const inner = (graph.edge(edge.from, edge.to).points ?? []).slice(1, -1).map(place);
    const from = end(edge.from, 1);
    const to = end(edge.to, -1);
    const between = inner.filter((point) => point.x > from.x + 1 && point.x < to.x - 1);
    return { ...edge, path: curve([from, ...throughColumns(between, columns), to]) };
  });
  const xs = [...columns].sort((a, b) => a - b);
  const stages = input.stages.map((stage) => {
    const x = (xs[stage.column] ?? 0) - cardWidth / 2;
    const last = xs[stage.column + stage.columns - 1] ?? 0;
    return { name: stage.name, x, width: last + cardWidth / 2 - x };
  });
  const all = [...cards.values()];
  return {
    width: Math.max(...all.map((card) => card.x)) + cardWidth,
    height: Math.max(...all.map((card) => card.y)) + cardHeight,
    cards,
    stages,
    edges,
  };
}
