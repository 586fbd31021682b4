import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile, startProgram, type ProgramProcess } from '../../src/lab/rig/program.ts';
import { later, newFolder } from './fixtures.ts';
import { createTestSender, type TestSender } from './test-sender.ts';

const SECRET = hash('sha256', 'a secret for processes');
const BOOKING_SECRET = hash('sha256', 'a secret for bookings');
const OTHER_SECRET = hash('sha256', 'another secret for processes');

/** An environment that a receiver starts with, on any port: two endpoints of risr and one of HotDocs are open. */
export const enough = {
  PORT: '0',
  RISR_PROFILE_UPDATED_SECRET: SECRET,
  RISR_BOOKING_UPDATED_SECRET: BOOKING_SECRET,
  HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: OTHER_SECRET,
};

const secrets = new Map([
  ['/risr/profile_updated', SECRET],
  ['/risr/booking_updated', BOOKING_SECRET],
]);

/** A program whose handlers a test can hold up; see there. */
export const waitingProgram = join(import.meta.dirname, 'child-waiting.ts');

const EXAMPLE = projectFile('src/example/main.ts');

/** The receiver as the process that `npm start` makes of it, until this test is over. */
export function startProcess(
  env: Readonly<Record<string, string>>,
  folder = newFolder(),
  main = EXAMPLE,
): ProgramProcess {
  const nodeArguments = argumentsOfStart();
  const started = startProgram({ main, folder, nodeArguments, env: { ADMIN_PORT: 'off', ...env } });
  later(async () => {
    started.kill('SIGKILL');
    await started.ended;
  });
  return started;
}

/** What `npm start` gives to Node before the program. */
function argumentsOfStart(): string[] {
  // package.json is ours.
  const { scripts } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start
    .replace(/^exec node /, '')
    .split(' ')
    .slice(0, -1);
}

/** To a receiver that was started with `enough`, or with secrets of the test's own. */
export function senderTo(url: string, secretOf?: (path: string) => string): TestSender {
  const sender = createTestSender({
    url,
    secretOf: secretOf ?? ((path) => secrets.get(path) ?? OTHER_SECRET),
  });
  later(() => sender.close());
  return sender;
}
