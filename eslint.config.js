import tseslint from 'typescript-eslint';

/** Sans-IO packages take `(now, input)` and return outputs; sockets, clocks and timers belong to the shells. */
const SANS_IO_PACKAGES = ['protocol', 'rtp', 'transport', 'sfu', 'datapath'];

const FORBIDDEN_IO_MODULES = [
  'dgram',
  'net',
  'tls',
  'http',
  'https',
  'http2',
  'timers',
  'timers/promises',
  'fs',
]
  .flatMap((name) => [name, `node:${name}`])
  .map((name) => ({ name, message: 'This package is sans-IO: take (now, input) and return outputs.' }));

const FORBIDDEN_CLOCKS_AND_TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'performance'].map(
  (name) => ({
    name,
    message: 'This package is sans-IO: time is passed in.',
  }),
);

const FORBIDDEN_CLOCK_PROPERTIES = [
  { object: 'Date', property: 'now', message: 'This package is sans-IO: time is passed in.' },
  { object: 'Math', property: 'random', message: 'This package is sans-IO: randomness is passed in.' },
];

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/.cache/**',
      '**/coverage/**',
      '**/test-results/**',
      '.godwit/**',
    ],
  },
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { sourceType: 'module', ecmaFeatures: { jsx: true } },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // A switch counts once: an exhaustive one over a union is as long as the union and still easy to read.
      complexity: ['error', { max: 16, variant: 'modified' }],
      'max-depth': ['error', 4],
      'max-params': ['error', 6],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Rules that ask the type checker: only product code, which the projects' tsconfig files include.
    files: ['packages/*/src/**/*.{ts,tsx}', 'apps/*/src/**/*.{ts,tsx}'],
    ignores: ['**/*.test.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: SANS_IO_PACKAGES.map((name) => `packages/${name}/src/**/*.ts`),
    ignores: ['**/*.test.ts', 'packages/*/src/contract/**'],
    rules: {
      'no-restricted-imports': ['error', { paths: FORBIDDEN_IO_MODULES }],
      'no-restricted-globals': ['error', ...FORBIDDEN_CLOCKS_AND_TIMERS],
      'no-restricted-properties': ['error', ...FORBIDDEN_CLOCK_PROPERTIES],
    },
  },
  {
    // Per-packet functions take numbers side by side: an options object would be an allocation per packet.
    files: ['packages/{rtp,transport,datapath-js}/src/**/*.ts'],
    rules: { 'max-params': ['error', 9] },
  },
  {
    // The SDK's only door to the browser's console.
    files: ['packages/client/src/log.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // A test reads from top to bottom as a story: long is fine, and its fixtures are known not to be null.
    files: [
      '**/*.test.{ts,tsx}',
      'tests/**/*.ts',
      'packages/testing/**/*.ts',
      'packages/*/src/**/testing/**/*.ts',
      'packages/*/src/contract/**/*.ts',
      'bench/**/*.ts',
    ],
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'max-params': 'off',
      complexity: 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
    },
  },
  {
    // These talk to a terminal.
    files: ['apps/cli/src/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', 'tests/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
