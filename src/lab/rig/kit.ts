import { join } from 'node:path';
import type { Configurable } from '../../kit/program/config.ts';
import type { Environment } from '../../kit/program/reader.ts';
import { newFolder } from './folder.ts';
import { secretsFor } from './secrets.ts';
import { startProgram } from './program.ts';
import type { Effects } from '../conformance/stage.ts';
import { openInbox } from '../../kit/inbox/open.ts';
import { createEffects } from './effects.ts';

/** The receiver of this kit as a process of its own, with everything that a run of level 3 needs. */
export interface Kit {
  readonly url: URL;
  /** Its secrets, made on the spot. */
  readonly env: Environment;
  readonly hooks: {
    readonly probe: () => Promise<Effects>;
    /** Kills it without warning, and starts it on the same port and files. */
    readonly restart: () => Promise<void>;
    /** Asks it to end, and starts it likewise once it has. */
    readonly terminate: () => Promise<void>;
    readonly health: URL;
  };
  stop(): Promise<void>;
}

/** Starts it in a folder that is gone afterwards. @throws with what it said if it does not start */
export async function startKit(app: Configurable, main: string): Promise<Kit> {
  const { path: folder, remove } = newFolder('conformance-kit');
  const inboxUrl = `sqlite:${join(folder, 'inbox.db')}`;
  const secrets = secretsFor(app);
  const env = { ...settingsFor(folder, inboxUrl), ...secrets };

  let running = startProgram({ main, env, folder });
  const url = new URL(await running.url());
  const health = new URL(await running.said(/^Health on (\S+\/live)/m));
  const inbox = await openInbox(inboxUrl, { maxWaiting: Infinity, owner: false });

  async function startAgain(after: NodeJS.Signals): Promise<void> {
    running.kill(after);
    await running.ended;
    running = startProgram({ main, env: { ...env, PORT: url.port, ADMIN_PORT: health.port }, folder });
    await running.url();
  }

  return {
    url,
    env: secrets,
    hooks: {
      probe: createEffects(inbox),
      restart: () => startAgain('SIGKILL'),
      terminate: () => startAgain('SIGTERM'),
      health,
    },
    async stop() {
      await inbox.close();
      running.kill();
      await running.ended;
      remove();
    },
  };
}

function settingsFor(folder: string, inboxUrl: string): Record<string, string> {
  return {
    PORT: '0',
    ADMIN_PORT: '0',
    LOG_LEVEL: 'error',
    INBOX_URL: inboxUrl,
    RECORDS_FILE: join(folder, 'records.db'),
    ARCHIVE_DIR: join(folder, 'archive'),
    // Hundreds of failed proofs are the purpose here, and each is to be refused for what is wrong with it.
    FAILED_PROOF_LIMIT: '1000000',
  };
}
