import { readFileSync, readdirSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { filesOf, folder, lives } from '../lab/explain/make-cases.ts';
import { runHere } from '../support/in-one-process.ts';

// Deliveries as they were refused in life, told of by people, with secrets and data made up.

const explanation = z.object({ ids: z.array(z.string()), twins: z.array(z.string()) });
const reported = z.object({
  verdict: z.string(),
  fits: z.array(explanation),
  named: z.array(explanation),
  excluded: z.array(z.string()),
});

/** Which change makes it verify, or what is named. */
const answers: Readonly<
  Record<string, { readonly fits?: string; readonly named?: string; readonly says?: RegExp }>
> = {
  'gateway-pretty-prints': { fits: 'body-indented' },
  'gateway-base64': { fits: 'body-base64' },
  'proxy-cuts-at-4096': { named: 'token-cut' },
  'plus-becomes-a-blank': { fits: 'token-plus' },
  'latin1-on-the-way': { fits: 'body-latin1' },
  'secret-with-its-label': { fits: 'secret-label' },
  'secret-of-another-topic': { fits: 'secret-of-endpoint' },
  'secret-regenerated': { says: /another one was used.*made anew/i },
  'clock-five-minutes-ahead': { fits: 'clock-ahead' },
  'signing-off': { named: 'signature-header-dropped' },
  'hash-without-secret': { named: 'signed-sha256-alone' },
  'jwt-of-a-gateway': { fits: 'token-beside-another' },
};

describe('npm run explain -- --file, of a delivery from life', () => {
  it.each(Object.entries(answers))('%s', async (name, { fits, named, says }) => {
    const environment = parseEnv(readFileSync(`${folder}${name}.env`, 'utf8')) as Record<string, string>;
    const brief = fits === undefined ? ['--seconds', '1'] : [];
    const { code, out, err } = await runHere(
      'explain',
      ['--file', `${folder}${name}.http`, '--json', ...brief],
      environment,
    );
    const report = reported.parse(JSON.parse(out));
    const idsOf = (some: typeof report.fits) => some.map(({ ids, twins }) => [...ids, ...twins]);
    expect({ code, verdict: report.verdict }).toEqual(
      fits === undefined ? { code: 1, verdict: 'none' } : { code: 0, verdict: 'one' },
    );
    expect(idsOf(report.fits)).toEqual(fits === undefined ? [] : [expect.arrayContaining([fits])]);
    if (named !== undefined) expect(idsOf(report.named)).toContainEqual([named]);
    if (says !== undefined) expect(report.excluded.join(' ')).toMatch(says);
    for (const secret of Object.values(environment))
      expect(out + err).not.toContain(secret.replace(/^Secret: /, ''));
  });

  it('there is a request and a configuration for each, as make-cases writes them', () => {
    const files = lives.flatMap((life) => {
      const { http, env } = filesOf(life);
      return [[`${life.name}.http`, http] as const, [`${life.name}.env`, Buffer.from(env)] as const];
    });
    expect(files.map(([name]) => name).toSorted()).toEqual(readdirSync(folder).toSorted());
    for (const [name, bytes] of files) expect([name, readFileSync(folder + name)]).toEqual([name, bytes]);
    expect(lives.map(({ name }) => name).toSorted()).toEqual(Object.keys(answers).toSorted());
  });
});
