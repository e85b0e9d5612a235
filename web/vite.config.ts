import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { compress } from './build/compress.ts';

export default defineConfig({
  plugins: [svelte(), compress()],
  // Without this, vitest takes Svelte's server build.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  build: {
    target: ['chrome111', 'firefox115', 'safari16.4'],
    outDir: 'dist',
    assetsDir: 'assets',
    // The content security policy knows no data: fonts, scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev` beside a server that runs: only the interface is passed on, the pages come from here.
    proxy: {
      '/api': { target: process.env.STUBE_SERVER ?? 'http://localhost:8080', ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
});
