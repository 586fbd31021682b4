import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Imports point one way (README, "How it is built"): a folder lists what it must not know. */
function arrows(files, forbidden) {
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: forbidden.map((group) => ({
            group: [group],
            message: `Imports point one way: ${files[0]} must not know ${group}.`,
          })),
        },
      ],
    },
  };
}

const express = ['express', 'express-rate-limit', 'helmet'];
/** What the kit must not know: what is built on it. */
const outside = ['**/app/**', '**/example/**', '**/lab/**', '**/scripts/**', '**/test/**'];
const sheets = '**/sources/**';
const program = '**/program/**';

export default tseslint.config(
  { ignores: ['node_modules', 'data', 'coverage', 'templates'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-invalid-void-type': 'off', // a handler may return nothing at all
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['scripts/**', 'src/main.ts'], rules: { 'no-console': 'off' } },
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
  // A later entry takes the place of an earlier one for the files of both, so each repeats what it inherits.
  arrows(['src/kit/**'], outside),
  arrows(
    ['src/kit/proofs/**'],
    [...outside, ...express, program, sheets, '**/http/**', '**/receiver/**', '**/inbox/**', '**/source.ts'],
  ),
  arrows(
    ['src/kit/sources/**'],
    [...outside, ...express, program, '**/http/**', '**/receiver/**', '**/inbox/**'],
  ),
  arrows(['src/kit/receiver/**', 'src/kit/handling/**'], [...outside, ...express, program, sheets]),
  arrows(['src/kit/http/**'], [...outside, program, sheets]),
  arrows(
    ['src/kit/inbox/**'],
    [...outside, ...express, program, sheets, '**/http/**', '**/receiver/**', '**/handling/**'],
  ),
  arrows(
    ['src/kit/outgoing/**'],
    [...outside, ...express, program, sheets, '**/http/**', '**/receiver/**', '**/inbox/**', '**/proofs/**'],
  ),
  arrows(['src/kit/program/**'], [...outside, ...express, sheets]),
  arrows(['src/lab/**'], ['**/app/**', '**/scripts/**', '**/test/**']),
  arrows(
    ['src/lab/mock/**'],
    ['**/app/**', '**/example/**', '**/scripts/**', '**/test/**', sheets, '**/receiver/**', '**/inbox/**'],
  ),
  // The suite judges any receiver, so it shares no line of ours that receives.
  arrows(
    ['src/lab/conformance/**'],
    [
      '**/app/**',
      '**/example/**',
      '**/scripts/**',
      '**/test/**',
      ...express,
      sheets,
      '**/http/**',
      '**/receiver/**',
      '**/inbox/**',
      '**/outgoing/**',
    ],
  ),
  arrows(['src/example/**'], ['**/app/**', '**/lab/**', '**/scripts/**', '**/test/**', ...express]),
);
