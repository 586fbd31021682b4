import { expect, it } from '@jest/globals';
import { runApart, type ApartOptions } from '../../../src/kit/apart/run-apart.ts';
import { DeadLetter } from '../../../src/kit/errors.ts';

const WORK = new URL('child-work.ts', import.meta.url);

function apart(input: string, options: Partial<ApartOptions> = {}, module = WORK): Promise<Buffer> {
  return runApart(module, input, {
    what: 'Trying it',
    maxCpuMs: 20_000,
    maxMemoryBytes: 300_000_000,
    maxResultBytes: 1_000_000,
    signal: new AbortController().signal,
    ...options,
  });
}

it('gives what the work returns, or no bytes where it returns nothing', async () =>
  expect([String(await apart('answer')), (await apart('nothing')).length]).toEqual(['an answer', 0]));

it('keeps the environment of the receiver, where its secrets are, to itself', async () =>
  expect(JSON.parse(String(await apart('environment')))).not.toContain('PATH'));

it.each([
  ['throws', 'throw', {}, 'Trying it failed: it is broken'],
  ['does not end', 'loop', { maxCpuMs: 500 }, 'Trying it was ended: it took more than 0.5 s of a processor.'],
  ['takes all memory', 'fill', {}, 'Trying it was ended: it took more than 300 MB of memory.'],
  ['gives too much', 'much', {}, 'Trying it was ended: it gave more than 1000000 bytes.'],
])('gives up for good on work that %s', async (_what, input, options, message) => {
  const failure = await apart(input, options).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DeadLetter);
  expect(failure).toMatchObject({ reason: 'handler_gave_up', message });
});

it('may be tried again where a file or a package is missing', async () => {
  const [file, module, ended] = await Promise.all([
    apart('file').catch((error: unknown) => error),
    apart('answer', {}, new URL('none.ts', import.meta.url)).catch((error: unknown) => error),
    apart('end').catch((error: unknown) => error),
  ]);
  expect([file, module, ended].filter((error) => error instanceof DeadLetter)).toEqual([]);
  expect(String(file)).toContain('Trying it failed: ENOENT');
  expect(String(module)).toContain('Cannot find module');
  expect(String(ended)).toContain('its process ended without a word');
});

it('ends with its signal, and so does what waits for its turn', async () => {
  const stop = new AbortController();
  const [running, waiting] = [
    apart('wait', { signal: stop.signal }),
    apart('answer', { signal: stop.signal }),
  ];
  const next = apart('answer');
  const reason = new Error('shutting down');
  stop.abort(reason);
  await expect(running).rejects.toBe(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(String(await next)).toBe('an answer');
});

it('leaves the receiver free while it runs', async () => {
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  await apart('loop', { maxCpuMs: 500 }).catch(() => undefined);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(10);
});
