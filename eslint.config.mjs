import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Imports point one way (src/kit/README.md, "Invariants"): a folder lists what it must not know. */
function arrows(files, forbidden) {
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: forbidden.map((group) => ({
            group: [group].flat(),
            message: `Imports point one way: ${files[0]} must not know ${[group].flat()[0]}.`,
          })),
        },
      ],
    },
  };
}

/** The packages that one room of the kit alone knows. */
const known = {
  http: ['express', 'express-rate-limit', 'helmet'],
  proofs: ['jose'],
  'inbox/postgres': ['pg'],
  outgoing: ['undici'],
  program: ['prom-client/**', 'prom-client'],
};

/** A room of the kit: it knows nothing that is built on the kit, no package of another room, and not these rooms. */
function room(name, ...rooms) {
  const foreign = Object.entries(known).flatMap(([owner, packages]) => (owner === name ? [] : packages));
  return arrows([`src/kit/${name}/**`], [...outside, ...foreign, ...rooms]);
}

/** What the kit must not know: what is built on it. */
const outside = ['**/app/**', '**/example/**', '**/lab/**', '**/scripts/**', '**/test/**'];
const sheets = '**/sources/**';
const program = '**/program/**';
const http = '**/http/**';
const receiver = '**/receiver/**';
const handling = '**/handling/**';
const inbox = '**/inbox/**';
const proofs = '**/proofs/**';
/** An app knows the kit by its one door. */
const insideOfKit = ['**/kit/**', '!**/kit/index.ts'];

export default tseslint.config(
  { ignores: ['node_modules', 'data', 'coverage', 'templates', 'conform.mjs'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-invalid-void-type': 'off', // a handler may return nothing at all
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: [
      'scripts/**',
      'src/lab/command.ts',
      'test/villains/command.ts',
      'test/own-app/command.ts',
      'test/lab/explain/command.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        __dirname: 'readonly',
        require: 'readonly',
        module: 'writable',
      },
    },
    rules: { 'no-console': 'off' },
  },
  {
    files: ['src/kit/console/assets/*.js'],
    languageOptions: {
      globals: { document: 'readonly', location: 'readonly', HTMLSelectElement: 'readonly' },
    },
  },
  // A later entry takes the place of an earlier one for the files of both.
  arrows(['src/kit/*.ts'], outside),
  room('proofs', program, sheets, http, receiver, inbox, '**/source.ts'),
  // What is usually done with a product's events may speak of the inbox as its contract says.
  room('sources', program, http, receiver, [inbox, '!**/inbox/inbox.ts']),
  room('receiver', program, sheets),
  room('endpoint', program, sheets, inbox, receiver),
  room('handling', program, sheets),
  room('facts', program, sheets, http),
  room('http', program, sheets),
  room('reading', program, sheets, http, receiver, inbox, proofs, handling),
  room('inbox', program, sheets, http, receiver, handling),
  room('inbox/postgres', program, sheets, http, receiver, handling),
  room('outgoing', program, sheets, http, receiver, inbox, proofs),
  room('console', program, sheets),
  room('tape', program, sheets),
  room('apart', program, sheets, http, receiver, inbox, proofs, handling),
  room('program', sheets),
  arrows(['src/lab/**'], ['**/app/**', '**/example/**', '**/scripts/**', '**/test/**']),
  arrows(
    ['src/lab/mock/**'],
    ['**/app/**', '**/example/**', '**/scripts/**', '**/test/**', sheets, receiver, inbox],
  ),
  // The suite judges any receiver, so it shares no line of ours that receives.
  arrows(
    ['src/lab/conformance/**'],
    [
      ...['**/app/**', '**/example/**', '**/scripts/**', '**/test/**'],
      ...[...known.http, sheets, http, receiver, inbox, '**/outgoing/**'],
    ],
  ),
  arrows(['src/app/**'], [insideOfKit, '**/example/**', '**/lab/**', '**/scripts/**', '**/test/**']),
  arrows(['src/example/**'], [insideOfKit, '**/app/**', '**/lab/**', '**/scripts/**', '**/test/**']),
  arrows(['src/main.ts'], [insideOfKit, '**/example/**', '**/lab/**', '**/scripts/**', '**/test/**']),
  arrows(['scripts/**'], ['**/test/**']),
  arrows(['test/**'], ['**/scripts/**']),
  // Tests of the commands may use their parts.
  { files: ['test/scripts/**'], rules: { 'no-restricted-imports': 'off' } },
  // Only the program reads the environment: what else depends on it is handed it.
  {
    files: ['src/kit/**', 'src/app/**', 'src/example/**'],
    ignores: ['src/kit/program/**'],
    rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env' }] },
  },
  // `/\s+$/` begins anew at each blank of a run that does not reach the end: the square of its length.
  {
    files: ['src/kit/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: String.raw`Literal[regex.pattern=/(^|\|)(?!\^|\(\?<!)([^|)[\]]|\[[^\]]*\])*([+*]|\{\d+,\})\)*\$/]`,
          message: 'Takes the square of the time on a long run: trim by index, or begin it with ^ or (?<!…).',
        },
      ],
    },
  },
  { files: ['src/**', 'scripts/**'], rules: { 'max-lines-per-function': ['error', { max: 60 }] } },
);
