// Builds the application into dist/: hashed files and no inline script or style, because the server's
// Content-Security-Policy forbids both. In development the API comes from the mock or SLIPWAY_URL.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const api = process.env.SLIPWAY_URL ?? 'http://127.0.0.1:5174';

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  resolve: {
    alias: { $: fileURLToPath(new URL('./src', import.meta.url)) },
    // Components are mounted into jsdom by the tests, so they need Svelte's browser build there too.
    conditions: mode === 'test' ? ['browser'] : undefined,
  },
  build: {
    target: 'es2022',
    // A small picture turned into a data: address would be refused where the policy only allows 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': api } },
  test: { environment: 'jsdom', include: ['tests/**/*.test.ts'], restoreMocks: true },
}));
