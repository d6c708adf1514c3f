import { defineConfig } from 'vite';

// One classic script that any page can load from the platform: global `OT`, nothing beside it.
export default defineConfig({
  publicDir: false,
  resolve: { conditions: ['godwit-source', 'browser', 'import', 'default'] },
  build: {
    outDir: 'dist/bundle',
    emptyOutDir: true,
    target: 'es2022',
    minify: true,
    sourcemap: true,
    lib: { entry: 'src/bundle.ts', name: 'OT', formats: ['iife'], fileName: () => 'godwit.js' },
    rolldownOptions: { output: { exports: 'default' } },
  },
});
