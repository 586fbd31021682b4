import { expect, it } from '@jest/globals';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { newReceiver } from '../../support/new-receiver.ts';

it('tells at debug each step of the way of a delivery, by its request id', async () => {
  const { receiver, sender } = await newReceiver({ logLevel: 'debug' });
  const notify = await sender.fire(phenixid, 'OrderCreated');
  const reply = await sender.fire(hotdocs, 'InterviewLoadEvent');
  await receiver.app.idle();
  const stepsOf = ({ headers }: typeof notify) =>
    receiver.log.flatMap(({ request, step }) =>
      request === headers['x-request-id'] && step !== undefined ? [step] : [],
    );
  expect(stepsOf(notify).toSorted()).toEqual(['came', 'handling', 'proven', 'replied', 'stored']);
  expect(stepsOf(reply)).toEqual(['came', 'proven', 'stored', 'handled', 'replied']);
  expect(receiver.log).toContainEqual(
    expect.objectContaining({ step: 'proven', secret: 1, ms: expect.any(Number) }),
  );
  expect(receiver.log).toContainEqual(
    expect.objectContaining({ step: 'stored', seq: 1, duplicate: false, ms: expect.any(Number) }),
  );
});

it('tells nothing of them at info', async () => {
  const { receiver, sender } = await newReceiver();
  await sender.fire(phenixid, 'OrderCreated');
  expect(receiver.log.filter(({ step }) => step !== undefined)).toEqual([]);
});

/** All texts in the content of an event that are long enough to be found by chance only. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.length < 8 ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

it('has no secret, token or value of a sender in its steps, whatever comes', async () => {
  const { receiver, sender } = await newReceiver({ logLevel: 'debug' });
  const hidden = new Set<string>();
  for (const source of sources) {
    for (const [type, { example }] of Object.entries(source.events)) {
      const outgoing = await sender.request(source, type);
      await sender.send(outgoing);
      await sender.send({ ...outgoing, body: Buffer.concat([outgoing.body, Buffer.from(' ')]) });
      hidden.add(receiver.secretOf(outgoing.target.replace(/\?.*/s, '')));
      for (const text of [...textsIn(example), ...Object.values(outgoing.headers)]) hidden.add(text);
      for (const token of outgoing.body.toString().match(/[\w-]{20,}/g) ?? []) hidden.add(token);
    }
  }
  await receiver.app.idle();
  const steps = receiver.log.filter(({ step }) => step !== undefined);
  expect(steps.length).toBeGreaterThan(60);
  const said = JSON.stringify(steps);
  const names = sources.flatMap(({ events }) => Object.keys(events));
  const found = [...hidden].filter(
    (text) => text.length >= 8 && !names.includes(text) && said.includes(text),
  );
  expect(found).toEqual([]);
});
