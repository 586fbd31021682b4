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
const anySource = '**/sources/**';
const upper = ['**/app.ts', '**/main.ts', '**/config.ts', '**/scripts/**', '**/test/**'];

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
  arrows(['src/*.ts'], [...upper.slice(3)]),
  arrows(
    ['src/proofs/**'],
    [
      ...express,
      ...upper,
      anySource,
      '**/receiver/**',
      '**/inbox/**',
      '**/mock/**',
      '**/handlers/**',
      '**/records/**',
      '**/source.ts',
    ],
  ),
  arrows(
    ['src/sources/**'],
    [...express, ...upper, '**/receiver/**', '**/inbox/**', '**/mock/**', '**/handlers/**', '**/records/**'],
  ),
  arrows(['src/receiver/**'], [...upper, anySource, '**/mock/**', '**/handlers/**', '**/records/**']),
  arrows(
    ['src/inbox/**'],
    [...express, ...upper, anySource, '**/receiver/**', '**/mock/**', '**/handlers/**', '**/records/**'],
  ),
  arrows(
    ['src/outgoing/**'],
    [
      ...express,
      ...upper,
      anySource,
      '**/receiver/**',
      '**/inbox/**',
      '**/mock/**',
      '**/handlers/**',
      '**/records/**',
      '**/proofs/**',
    ],
  ),
  // The answer model is what handlers answer with; the data sheets they know as types only.
  arrows(
    ['src/handlers/**'],
    [...express, ...upper, '**/receiver/**', '**/inbox/**', '**/mock/**', '**/proofs/**'],
  ),
  arrows(
    ['src/mock/**'],
    [...upper, anySource, '**/receiver/**', '**/inbox/**', '**/handlers/**', '**/records/**'],
  ),
  // The suite judges any receiver, so it shares no line of ours that receives.
  arrows(
    ['src/conformance/**'],
    [
      ...express,
      ...upper,
      anySource,
      '**/receiver/**',
      '**/inbox/**',
      '**/handlers/**',
      '**/records/**',
      '**/outgoing/**',
    ],
  ),
  arrows(
    ['src/operations/**'],
    [...express, ...upper, anySource, '**/receiver/**', '**/mock/**', '**/handlers/**', '**/records/**'],
  ),
  arrows(
    ['src/records/**'],
    [...express, ...upper, anySource, '**/receiver/**', '**/inbox/**', '**/mock/**', '**/handlers/**'],
  ),
);
