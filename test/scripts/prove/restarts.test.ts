import { afterAll, expect, it } from '@jest/globals';
import { playRestarts } from '../../../src/lab/restarts/play.ts';
import { newFolder } from '../../../src/lab/rig/folder.ts';
import { createInboxes } from '../../../src/lab/rig/inboxes.ts';

const folder = newFolder('restarts');
const inboxes = createInboxes(folder.path);
afterAll(async () => {
  await inboxes.close();
  folder.remove();
});

it.each([
  ['sqlite', { keepAlive: false, overlap: false }],
  ['postgres', { keepAlive: false, overlap: true }],
] as const)(
  '%s %j: is started again and again while deliveries come, and refuses, loses and doubles none',
  async (engine, way) => {
    const inboxUrl = await inboxes.urlOf(engine, 'restarts');
    const outcome = await playRestarts({ ...way, inboxUrl, folder: folder.path, restarts: 2, everyMs: 5 });
    expect(outcome).toMatchObject({ refused: new Map(), lost: 0, doubled: 0 });
    expect(outcome.output.match(/^began /gm)).toHaveLength(3);
    expect(outcome.sent).toBeGreaterThan(40);
  },
);
