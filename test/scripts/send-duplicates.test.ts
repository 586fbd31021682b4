import { expect, it } from '@jest/globals';
import { outcomeOf, outcomeOfMany, watchInbox, type Watched } from '../../scripts/send/outcome.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { createSender } from '../../src/lab/mock/sender.ts';
import { acme } from '../support/acme.ts';
import { later, newInboxUrl } from '../support/fixtures.ts';
import { startReceiver } from '../support/receiver.ts';

/** Signs no id, so that its content is what makes an event the same. */
const source = {
  ...acme,
  envelope: {
    read: (content: Buffer) => {
      const payload: unknown = JSON.parse(content.toString());
      return { id: undefined, type: 'order.created', key: content.toString(), payload };
    },
    write: ({ payload }: { readonly payload: unknown }) => Buffer.from(JSON.stringify(payload)),
  },
};

async function receiverAndSender() {
  const env = { INBOX_URL: newInboxUrl() };
  const handlers = { acme: { 'order.created': () => 'made it' } };
  const receiver = await startReceiver({ env, sources: [source], handlers });
  const url = new URL(receiver.url);
  const credentialFor = ({ path }: { readonly path: string }) => ({
    kind: 'SECRET',
    text: receiver.secretOf(path),
  });
  const sender = createSender({ source: source, url, credentialFor, random: createRandom(1) });
  later(
    () => sender.close(),
    () => receiver.stop(),
  );
  const watch = async (): Promise<Watched> => {
    const watched = await watchInbox(url, env);
    if (typeof watched === 'string') throw new Error(watched);
    later(() => watched.inbox.close());
    return watched;
  };
  return { sender, watch };
}

it('says of what was signed before that it is a duplicate, singly and in figures', async () => {
  const { sender, watch } = await receiverAndSender();
  const send = async () => {
    const [watched, { content }] = [await watch(), await sender.preview('order.created')];
    return outcomeOf(watched, { ...(await sender.fire('order.created')), content }, 10_000);
  };
  expect(await send()).toMatchObject({ right: true, says: 'entry 1 is done: made it' });
  expect(await send()).toEqual({
    right: true,
    says: 'duplicate of entry 1; entry 1 is done: made it',
    further: [expect.stringContaining('Nothing new was stored')],
  });

  const watched = await watch();
  const { ok } = await sender.run('order.created', { count: 3, concurrency: 1 });
  const many = { source: 'acme', type: 'order.created', taken: ok, waitMs: 10_000 };
  expect(await outcomeOfMany(watched, many)).toEqual({
    right: false,
    says: '3 duplicates',
    further: [expect.stringContaining('Of a duplicate nothing is stored')],
  });
});
