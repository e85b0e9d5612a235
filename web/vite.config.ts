import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { compress } from './build/compress.ts';
import { worker } from './build/worker.ts';

const server = process.env.STUBE_SERVER ?? 'http://localhost:8080';
// The server accepts its own pages only.
const passed = { target: server, ws: true, changeOrigin: true, headers: { origin: server } };
const proxy = { '/api': passed, '/manifest.webmanifest': passed };

export default defineConfig({
  plugins: [svelte(), worker(), compress()],
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
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  // `npm run dev` or `npx vite preview` beside a server that runs: only its interface is passed on.
  server: { proxy },
  preview: { proxy },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
});
