import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The screens with made-up models, for looking at them: `npm run stories`. Never part of the app.
export default defineConfig({
  root: 'stories',
  publicDir: '../public',
  plugins: [svelte({ configFile: '../svelte.config.js' })],
  server: { fs: { allow: ['..'] } },
});
