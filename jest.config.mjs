/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.cjs' },
  watchman: false,
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  // Many tests start processes and wait for them: on a small machine one worker would leave a core idle.
  maxWorkers: 2,
  // Nothing here is about time, and machines may be slow.
  testTimeout: 240_000,
};
