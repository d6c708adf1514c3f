import { defineConfig } from 'vite';

// Control serves the page at /demo; everything it needs comes from the same origin.
export default defineConfig({
  root: import.meta.dirname,
  base: '/demo/',
  resolve: { conditions: ['godwit-source', 'module', 'browser', 'default'] },
  build: {
    outDir: 'dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // Small files stay files, so that a strict content security policy without data: URLs can be used.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
});
