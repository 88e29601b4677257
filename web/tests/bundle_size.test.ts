// The first screen must stay light: what the browser fetches before the list of projects stands there.
// @vitest-environment node
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

async function bundle(): Promise<(Rollup.OutputChunk | Rollup.OutputAsset)[]> {
  const built = (await build({
    root,
    mode: 'production',
    logLevel: 'error',
    build: { write: false },
  })) as Rollup.RollupOutput;
  return built.output;
}

const zipped = (file: Rollup.OutputChunk | Rollup.OutputAsset) =>
  gzipSync(file.type === 'chunk' ? file.code : file.source).length;

describe('the first screen', () => {
  it('is under 100 KB gzipped, without the chart and the graph', { timeout: 60_000 }, async () => {
    const output = await bundle();
    const chunks = output.filter((file) => file.type === 'chunk');
    const wanted = new Set<string>();
    const want = (chunk: Rollup.OutputChunk | undefined) => {
      if (chunk === undefined || wanted.has(chunk.fileName)) return;
      wanted.add(chunk.fileName);
      for (const name of chunk.viteMetadata?.importedCss ?? []) wanted.add(name);
      for (const name of chunk.imports) want(chunks.find((other) => other.fileName === name));
    };
    want(chunks.find((chunk) => chunk.isEntry));
    want(chunks.find((chunk) => chunk.name === 'ProjectsPage'));

    const first = output.filter(
      (file) => wanted.has(file.fileName) || file.fileName === 'index.html',
    );
    const size = first.reduce((sum, file) => sum + zipped(file), 0);
    console.info(`first screen: ${first.length} files, ${size} bytes gzipped`);
    expect(size).toBeLessThan(100_000);

    const code = first.map((file) => (file.type === 'chunk' ? file.code : '')).join('');
    expect(code).not.toContain('uplot');
    expect(code).not.toContain('graphlib');
  });

  it(
    'has no inline script or style, which the policy would refuse',
    { timeout: 60_000 },
    async () => {
      const html = (await bundle()).find((file) => file.fileName === 'index.html')!;
      const text = String((html as Rollup.OutputAsset).source);
      expect(text).not.toMatch(/<script(?![^>]*\bsrc=)/);
      expect(text).not.toMatch(/<style|style=|\son\w+=/);
    },
  );
});
