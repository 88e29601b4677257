import { describe, expect, it } from 'vitest';
import { graphInput, isNeeded, jobKey, type GraphJob } from '../../../src/lib/graph/graph_input';
import { cardHeight, cardWidth, layoutGraph } from '../../../src/lib/graph/graph_layout';

let nextId = 1;
const job = (name: string, stage: string, needs: string[] | null = null): GraphJob => ({
  id: nextId++,
  name,
  stage,
  needs,
});
const named = (jobs: GraphJob[], name: string) => jobs.find((one) => one.name === name)!;

describe('a need', () => {
  it.each([
    ['test', 'test', true],
    ['test', 'test 1/3', true],
    ['test', 'test: [arm, debug]', true],
    ['test', 'test2', false],
    ['test', 'test: extra', false],
    ['te', 'test', false],
  ])('on %s is a need on "%s": %s', (need, name, answer) => {
    expect(isNeeded(need, name)).toBe(answer);
  });
});

describe('the input of the layout', () => {
  it('has a column for each stage and a gate before jobs that follow their stage', () => {
    const jobs = [job('a', 'one'), job('b', 'one'), job('c', 'two'), job('d', 'two')];
    const input = graphInput(jobs, ['one', 'two', 'empty']);

    expect(input.stages).toEqual([
      { name: 'one', column: 0, columns: 1 },
      { name: 'two', column: 1, columns: 1 },
    ]);
    expect(input.jobs.map((placed) => placed.rank)).toEqual([0, 0, 2, 2]);
    expect(input.gates).toEqual([{ key: 'gate1', rank: 1 }]);
    expect(input.edges).toHaveLength(4);
  });

  it('draws needs as edges and no gate for a job that has them', () => {
    const jobs = [job('a', 'one'), job('b', 'one'), job('c', 'two', ['a']), job('d', 'two', [])];
    const input = graphInput(jobs, ['one', 'two']);

    expect(input.gates).toEqual([]);
    expect(input.edges).toEqual([
      { from: jobKey(named(jobs, 'a').id), to: jobKey(named(jobs, 'c').id), kind: 'need' },
    ]);
  });

  it('gives a stage more columns when its jobs need each other', () => {
    const jobs = [job('a', 'one', []), job('b', 'one', ['a']), job('c', 'two')];
    const input = graphInput(jobs, ['one', 'two']);

    expect(input.stages[0]).toMatchObject({ columns: 2 });
    expect(input.jobs.map((placed) => placed.rank)).toEqual([0, 2, 4]);
  });

  it('survives needs in a circle and on nothing', () => {
    const jobs = [job('a', 'one', ['b', 'gone']), job('b', 'one', ['a'])];
    expect(() => layoutGraph(graphInput(jobs, ['one']))).not.toThrow();
  });

  it('appends stages that the pipeline did not name', () => {
    expect(graphInput([job('a', 'later')], ['one']).stages.map((stage) => stage.name)).toEqual([
      'later',
    ]);
  });
});

describe('the layout', () => {
  const jobs = [
    job('build', 'build'),
    job('lint', 'test', []),
    job('test', 'test'),
    job('e2e', 'test', ['build']),
    job('scan', 'security'),
    job('deploy', 'deploy', ['scan', 'e2e']),
    job('smoke', 'deploy', ['deploy']),
    job('notify', 'last', []),
  ];
  const layout = layoutGraph(graphInput(jobs, ['build', 'test', 'security', 'deploy', 'last']));
  const card = (name: string) => layout.cards.get(named(jobs, name).id)!;

  it('puts jobs of a stage below each other and stages beside each other', () => {
    expect(card('lint').x).toBe(card('test').x);
    expect(card('e2e').x).toBe(card('test').x);
    expect(card('build').x).toBeLessThan(card('test').x);
    expect(card('deploy').x).toBeLessThan(card('smoke').x);
    expect(card('smoke').x).toBeLessThan(card('notify').x);
    expect(layout.stages.map((stage) => stage.name)).toEqual([
      'build',
      'test',
      'security',
      'deploy',
      'last',
    ]);
    expect(layout.stages[3]?.x).toBe(card('deploy').x);
  });

  it('never lets two cards touch, and keeps all inside', () => {
    const cards = [...layout.cards.values()];
    for (const [i, a] of cards.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(0);
      expect(a.y).toBeGreaterThanOrEqual(0);
      expect(a.x + cardWidth).toBeLessThanOrEqual(layout.width);
      expect(a.y + cardHeight).toBeLessThanOrEqual(layout.height);
      for (const b of cards.slice(i + 1)) {
        expect(Math.abs(a.x - b.x) >= cardWidth || Math.abs(a.y - b.y) >= cardHeight).toBe(true);
      }
    }
  });

  it('leads each edge from the right of one card to the left of the next', () => {
    const edge = layout.edges.find((one) => one.to === jobKey(named(jobs, 'e2e').id))!;
    const { x, y } = card('build');
    expect(edge.path.startsWith(`M${x + cardWidth} ${y + cardHeight / 2}`)).toBe(true);
    expect(edge.path).toContain(`${card('e2e').x}`);
  });

  it('of one job is one card', () => {
    const one = layoutGraph(graphInput([job('only', 'build')], ['build']));
    expect(one.width).toBe(cardWidth);
    expect(one.edges).toEqual([]);
  });
});
