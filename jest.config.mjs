// Jest runs modules only if Node was told so before it began, and what it says otherwise leads astray.
const isTold = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) =>
  text.includes('vm-modules'),
);
const isJest = /\bjest(\.js)?$/.test(process.argv[1] ?? ''); // others read this file, too
if (isJest && !isTold) {
  console.error(
    'Run the tests with npm test, some of them with npm test -- kit/inbox, one with npm test -- kit/inbox -t "its name".',
  );
  process.exit(1);
}

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.cjs' },
  watchman: false,
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  // Many tests start processes and wait for them: on a small machine fewer workers would leave a core idle.
  maxWorkers: 3,
  // Nothing here is about time, and machines may be slow.
  testTimeout: 240_000,
};
