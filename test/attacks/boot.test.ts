import { hash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { ConfigInvalid, readConfig, type Config } from '../../src/kit/program/config.ts';
import type { Environment } from '../../src/kit/program/reader.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { secretsFor, startReceiver } from '../support/receiver.ts';

const working: Environment = secretsFor(sources);
const SECRET = hash('sha256', 'a secret of its own');
const OTHER = hash('sha256', 'another secret');

/** What the receiver says instead of starting; the same environment without the change starts. */
function problemsWith(change: Environment): readonly string[] {
  expect(read(working)).not.toBeInstanceOf(ConfigInvalid);
  const result = read({ ...working, ...change });
  return result instanceof ConfigInvalid ? result.problems : [];
}

function read(env: Environment): Config | ConfigInvalid {
  try {
    return readConfig(env, { sources });
  } catch (error) {
    if (error instanceof ConfigInvalid) return error;
    throw error;
  }
}

it.each<[row: string, name: string, change: Environment, problem: RegExp]>([
  ['A7', 'the key "secret"', { PHENIXID_SECRET: 'secret' }, /^PHENIXID_SECRET .*guessed/],
  [
    'A7',
    "the sender's name",
    { RISR_USER_REGISTERED_SECRET: 'risr' },
    /^RISR_USER_REGISTERED_SECRET .*guess/,
  ],
  [
    'A7',
    "the sender's full name",
    { PHENIXID_SECRET: 'PhenixID Signing Workflow' },
    /^PHENIXID_SECRET .*guess/,
  ],
  [
    'A7',
    'the name of an event',
    { HOTDOCS_ACTION_LINK_SECRET: 'NewWorkItemVersionComplete' },
    /^HOTDOCS_ACTION_LINK_SECRET .*guess/,
  ],
  [
    'A7',
    'the name of an event in another spelling',
    { RISR_BOOKING_UPDATED_SECRET: 'Booking-State-Changed' },
    /^RISR_BOOKING_UPDATED_SECRET .*guess/,
  ],
  ['A7', 'an empty key behind a comma', { PHENIXID_SECRET: `${SECRET},` }, /^PHENIXID_SECRET .*empty/],
  [
    'A7',
    'an empty key from a file',
    { PHENIXID_SECRET: undefined, PHENIXID_SECRET_FILE: '/dev/null' },
    /^PHENIXID_SECRET .*empty/,
  ],
  ['A8', 'a key of 1 byte', { PHENIXID_SECRET: 'x' }, /^PHENIXID_SECRET holds a secret of 1 bytes/],
  [
    'A8',
    'a key of 15 bytes',
    { PHENIXID_SECRET: SECRET.slice(0, 15) },
    /^PHENIXID_SECRET holds a secret of 15 bytes/,
  ],
  [
    'A8',
    'a short key among long ones',
    { PHENIXID_SECRET: `${SECRET},${OTHER.slice(0, 8)}` },
    /^PHENIXID_SECRET holds a secret of 8 bytes/,
  ],
  [
    'A23',
    'one key for two events',
    { RISR_USER_REGISTERED_SECRET: SECRET, RISR_PROFILE_UPDATED_SECRET: SECRET },
    /^RISR_USER_REGISTERED_SECRET and RISR_PROFILE_UPDATED_SECRET hold the same secret/,
  ],
  [
    'A23',
    'one key for two senders',
    { PHENIXID_SECRET: SECRET, HOTDOCS_ACTION_LINK_SECRET: SECRET },
    /^HOTDOCS_ACTION_LINK_SECRET and PHENIXID_SECRET hold the same secret/,
  ],
  [
    'A23',
    'one key for two installations',
    { PHENIXID_NORTH_SECRET: SECRET, PHENIXID_SOUTH_SECRET: SECRET },
    /^PHENIXID_NORTH_SECRET and PHENIXID_SOUTH_SECRET hold the same secret/,
  ],
  [
    'A23',
    "one's new key being another's old one",
    { PHENIXID_SECRET: `${OTHER},${SECRET}`, RISR_PROFILE_UPDATED_SECRET: SECRET },
    /^PHENIXID_SECRET and RISR_PROFILE_UPDATED_SECRET hold the same secret/,
  ],
  [
    'A23',
    'one text as secret here and as access token there',
    {
      HOTDOCS_ACTION_LINK_SECRET: undefined,
      HOTDOCS_ACTION_LINK_TOKEN: SECRET,
      PHENIXID_SECRET: SECRET,
    },
    /hold the same secret/,
  ],
  [
    'A27',
    'both methods at one endpoint',
    { HOTDOCS_ACTION_LINK_TOKEN: SECRET },
    /^HOTDOCS_ACTION_LINK_SECRET and HOTDOCS_ACTION_LINK_TOKEN are both set/,
  ],
  [
    'K1',
    'a placeholder',
    { PHENIXID_SECRET: 'replace-with-64-hex-characters' },
    /^PHENIXID_SECRET .*placeholder/,
  ],
  [
    'K1',
    'a placeholder of one letter',
    { PHENIXID_SECRET: 'x'.repeat(64) },
    /^PHENIXID_SECRET .*placeholder/,
  ],
  ['K1', 'a blank behind the key', { PHENIXID_SECRET: `${SECRET} ` }, /^PHENIXID_SECRET has blanks/],
  ['K1', 'a line end behind the key', { PHENIXID_SECRET: `${SECRET}\n` }, /^PHENIXID_SECRET has blanks/],
  [
    'K1',
    'a blank behind the comma',
    { PHENIXID_SECRET: `${SECRET}, ${OTHER}` },
    /^PHENIXID_SECRET has blanks/,
  ],
  [
    'K1',
    'a secret for an endpoint that does not exist',
    { RISR_SECRET: SECRET },
    /^RISR_SECRET belongs to no endpoint/,
  ],
  [
    'K1',
    'a file that is not there',
    { PHENIXID_SECRET: undefined, PHENIXID_SECRET_FILE: 'no-such-file' },
    /^PHENIXID_SECRET_FILE names a file that cannot be read/,
  ],
])('%s: does not start with %s, says which and why, and prints no secret', (_row, _name, change, problem) => {
  const problems = problemsWith(change);
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join('\n')).not.toContain(SECRET);
  expect(problems.join('\n')).not.toContain(OTHER.slice(0, 8));
});

it('K1: does not start with no secret at all', () => {
  const none = Object.fromEntries(Object.keys(working).map((name) => [name, '']));
  expect(problemsWith(none)).toEqual([expect.stringMatching(/^No endpoint has a secret/)]);
});

it('K1: does not start with a key in another encoding than it is said to be in', async () => {
  const env = { HOTDOCS_ACTION_LINK_SECRET: `${SECRET}!`, HOTDOCS_ACTION_LINK_KEY_ENCODING: 'base64' };
  const started = startReceiver({ env });
  await expect(started).rejects.toThrow(/^HOTDOCS_ACTION_LINK_SECRET: .*not base64/);
  await expect(started).rejects.not.toThrow(SECRET);
});

// The bound is 16 bytes, since senders choose short ones themselves; 32 are advised.
it.each([
  [16, [/16 bytes; 32 or more/]],
  [31, [/31 bytes; 32 or more/]],
  [32, []],
])('A8: starts with a key of %i bytes, warning below 32', (bytes, warnings) => {
  const config = readConfig({ ...working, PHENIXID_SECRET: SECRET.slice(0, bytes) }, { sources });
  expect(config.warnings).toEqual(warnings.map((warning) => expect.stringMatching(warning)));
});
