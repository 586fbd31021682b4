import { expect, it } from '@jest/globals';
import { variantVillains } from '../../villains/broken/variants.ts';
import { startNaturalExpress } from '../../villains/natural.ts';
import { createReceiver } from '../../villains/receiver.ts';
import { right } from '../../villains/right.ts';
import { tryReceiver, type TryOptions } from '../../villains/try.ts';

/** What the rule on variants came to at the one endpoint. */
async function variantsOf(endpoint: string, options: Pick<TryOptions, 'start'> & Partial<TryOptions>) {
  const [source = ''] = endpoint.split('/');
  const { cases } = await tryReceiver({
    sources: [source],
    endpoints: [endpoint],
    level: 1,
    only: ['J9-variants'],
    ...options,
  });
  return new Map(cases.map(({ trial, outcome, observed }) => [trial, `${outcome}: ${observed}`]));
}

it('says why the usual way of sending is refused, where another way shows that the secret is right', async () => {
  const [villain] = variantVillains.filter(({ name }) => name === 'takes POST and nothing else');
  const start: TryOptions['start'] = (credentials) =>
    (villain ?? { start: createReceiver(right) }).start(credentials);
  const found = await variantsOf('hotdocs/InterviewLoadEvent', { start });
  expect(found.get('as it usually comes')).toBe(
    'failed: status 405 to a GET (Allow: POST). With verb=POST it was accepted, so the secret is right: it is the usual ' +
      'way of sending that is refused',
  );
});

it('accuses nobody of refusing everything: that may be the wrong secret', async () => {
  const start: TryOptions['start'] = (credentials) => {
    const others = [...credentials].map(
      ([path, credential]) => [path, { ...credential, text: 'another' }] as const,
    );
    return createReceiver(right)(new Map(others));
  };
  const found = await variantsOf('phenixid/OrderCreated', { start });
  expect(found.get('as it usually comes')).toMatch(/^inconclusive: status 401; .* the secret/);
});

it('asks for what nobody has confirmed of a sender only where it is claimed', async () => {
  const at = 'hotdocs/CustomInterviewEvent';
  const unclaimed = await variantsOf(at, { start: startNaturalExpress });
  expect(unclaimed.has('carrier=header')).toBe(false);
  expect([...unclaimed.values()].filter((told) => !told.startsWith('passed'))).toEqual([]);

  const claimed = await variantsOf(at, { start: startNaturalExpress, accepts: ['carrier=header'] });
  expect(claimed.get('carrier=header')).toMatch(/^failed: .* status 401$/);
});
