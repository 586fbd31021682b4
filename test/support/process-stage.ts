import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type ReceiverProcess } from './receiver-process.ts';
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

/** Processes of one test, their folders, and senders to them; all gone when it is over. */
export interface ProcessStage {
  newFolder(): string;
  start(env: Readonly<Record<string, string>>, folder?: string, main?: string): ReceiverProcess;
  /** To a receiver that was started with `enough`. */
  senderTo(url: string): TestSender;
  tearDown(): Promise<void>;
}

export function createProcessStage(): ProcessStage {
  const cleanup: (() => unknown)[] = [];

  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'processes-'));
    cleanup.push(() => rmSync(folder, { recursive: true }));
    return folder;
  }

  return {
    newFolder,
    start(env, folder = newFolder(), main) {
      const started = startProcess({ env, folder, main });
      cleanup.push(async () => {
        started.kill('SIGKILL');
        await started.ended;
      });
      return started;
    },
    senderTo(url) {
      const sender = createTestSender({
        url,
        secretOf: (path) => secrets.get(path) ?? OTHER_SECRET,
      });
      cleanup.push(() => sender.close());
      return sender;
    },
    async tearDown() {
      for (const clean of cleanup.splice(0).reverse()) await clean();
    },
  };
}
