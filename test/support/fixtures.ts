import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { openInbox } from '../../src/kit/inbox/open.ts';
import { listenOn } from '../../src/lab/rig/ports.ts';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** What is to be done when this test is over, the latest first. */
export function later(...ends: readonly (() => unknown)[]): void {
  endings.push(...ends);
}

/** An empty folder, for this test only. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kit-test-'));
  later(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a file with this content. */
export function fileWith(content: string | Buffer): string {
  const file = join(newFolder(), 'file');
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

/** The address of an inbox in a file of its own. */
export function newInboxUrl(): string {
  return `sqlite:${join(newFolder(), 'inbox.db')}`;
}

/** The same, the inbox there and empty, as a receiver leaves it that nothing has come to. */
export async function emptyInboxUrl(): Promise<string> {
  const url = newInboxUrl();
  await (await openInbox(url, { maxWaiting: Infinity })).close();
  return url;
}

/** Lets a server listen until this test is over, and resolves with its port. */
export async function listening(server: Server | HttpServer): Promise<number> {
  later(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return listenOn(server);
}
