import type { CaseEnded, RunEnded, RunEvent, RunStarted } from '../../../src/lab/conformance/result.ts';

/** What a hostile receiver might answer, hoping for whoever reads the reports. */
export const HOSTILE =
  '::error::a</script><script>alert(1)</script>]]>--> ##[error]b ##vso[task]c ##teamcity[d] \u001b[31me\u009b1m\r\n' +
  '::warning::f\u2028g\u2029h\u202ei\u0000j\ud800k\ufeff |l| `m` *n* <img src=x onerror=alert(2)> "o" \'p\' &amp; $(q)';

export const started: RunStarted = {
  event: 'started',
  target: 'http://127.0.0.1:3000',
  sources: ['hotdocs', 'risr'],
  level: 2,
  grade: 'correct',
  seed: 42,
  cases: 6,
  at: Date.UTC(2026, 0, 31, 12),
  version: '1.2.3',
};

/** A case of a made-up rule; whatever is not given is harmless. */
export function ended(
  id: string,
  outcome: CaseEnded['outcome'],
  changes: Partial<CaseEnded> = {},
): CaseEnded {
  const [rule = '', ...rest] = id.split('/');
  return {
    event: 'case',
    id,
    rule: {
      id: rule,
      group: 'A',
      title: 'refuses a token signed with another secret',
      severity: 'critical',
      grade: 'authentic',
      level: 1,
      why: 'Anybody could send events.',
      fix: 'Compare the signature with one of your own.',
      source: 'https://www.rfc-editor.org/rfc/rfc7515#section-5.2',
    },
    endpoint: rest.slice(0, -1).join('/'),
    trial: rest.at(-1) ?? '',
    outcome,
    expected: '401',
    observed: outcome === 'failed' ? 'status 202: it was accepted' : 'status 401',
    ms: 12,
    exchanges: [],
    reproduce: [],
    ...changes,
  };
}

const cases: readonly CaseEnded[] = [
  ended('A1-none/risr/profile_updated/alg-none', 'passed'),
  ended('A7-guessable-key/risr/profile_updated/empty', 'failed', {
    expected: HOSTILE,
    observed: HOSTILE,
    trial: `hostile ${HOSTILE}`,
    reproduce: [
      `curl -i '${HOSTILE}'`,
      "npm run conform -- --seed 42 --case 'A7-guessable-key/risr/profile_updated/empty'",
    ],
    exchanges: [
      {
        role: 'attack',
        request: `POST /risr/${HOSTILE}`,
        bytes: 321,
        sha256: 'ab'.repeat(32),
        status: 202,
        ms: 3.4,
        reply: HOSTILE,
      },
    ],
  }),
  ended('A9-kid/hotdocs/ActionLink/path', 'warned', { observed: 'status 403' }),
  ended('A10-own-key/hotdocs/ActionLink/jwk', 'skipped', { reason: `left out on demand ${HOSTILE}` }),
  ended('A11-crit/hotdocs/ActionLink/unknown', 'waived', { reason: `known since May ${HOSTILE}` }),
  ended('A12-unencoded/hotdocs/ActionLink/b64', 'inconclusive', { observed: 'status 401' }),
];

/** A run in which everything came out once, and which a hostile receiver has answered. */
export const recorded: readonly RunEvent[] = [
  started,
  ...cases,
  end('not conformant', '1 case failed of 5.', {
    passed: 1,
    failed: 1,
    warned: 1,
    skipped: 1,
    waived: 1,
    inconclusive: 1,
  }),
];

/** A run that came to nothing. */
export const unreachable: readonly RunEvent[] = [
  { ...started, cases: 6 },
  end('unreachable', 'Nothing answers at http://127.0.0.1:3000 (ECONNREFUSED).', {}),
];

export function end(
  verdict: RunEnded['verdict'],
  says: string,
  counts: Partial<RunEnded['counts']>,
): RunEnded {
  const none = { passed: 0, warned: 0, failed: 0, inconclusive: 0, skipped: 0, waived: 0 };
  return { event: 'ended', verdict, reached: [], says, counts: { ...none, ...counts }, ms: 4567 };
}
