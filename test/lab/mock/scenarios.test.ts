import { hash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { setUp, type Stage, type StageOptions } from '../../../src/lab/stage/stage.ts';
import { createPdf } from '../../../src/lab/mock/platforms/documents.ts';
import { countInPdf, findArchived } from '../../../src/lab/mock/scenarios/files.ts';
import { missingIn, play, type Played } from '../../../src/lab/mock/scenarios/play.ts';
import type { Scenario } from '../../../src/lab/mock/scenarios/scenario.ts';
import { scenarioOf, scenarios } from '../../../src/lab/mock/scenarios/index.ts';
import { stagedExample } from '../../../src/example/staged.ts';
import { withFooter } from '../../../src/example/handlers/pdf.ts';
import { fileWith, later, newFolder } from '../../support/fixtures.ts';

async function start(options: StageOptions = {}): Promise<Stage> {
  const folder = newFolder();
  const stage = await setUp(stagedExample, folder, { fleeting: true, ...options });
  later(() => stage.tearDown());
  return stage;
}

function playOn(stage: Stage, scenario: Scenario): Promise<Played> {
  return play(scenario, stage.world, { patienceMs: 200, settle: () => stage.settle() });
}

it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  'finds every effect of %s on both sides',
  async (_name, scenario) => {
    const stage = await start();
    const played = await playOn(stage, scenario);
    expect(missingIn(played)).toEqual([]);
    expect(new Set(played.observed.map(({ where }) => where))).toEqual(new Set(['platform', 'receiver']));
    expect(await stage.app.inbox.stats()).toMatchObject({ waiting: 0, running: 0, dead: 0 });
  },
);

it('can be played again and again on the same products', async () => {
  const stage = await start();
  for (const scenario of [...scenarios, ...scenarios]) {
    expect(missingIn(await playOn(stage, scenario))).toEqual([]);
  }
});

const withoutHotdocsApi = {
  HOTDOCS_API_URL: '',
  HOTDOCS_API_AUTH_URL: '',
  HOTDOCS_API_CLIENT_NAME: '',
  HOTDOCS_API_PRINCIPAL_NAME: '',
  HOTDOCS_API_PRINCIPAL_PASSWORD: '',
};
const withoutPhenixidApi = {
  PHENIXID_API_URL: '',
  PHENIXID_API_UNKNOWN_DELAYS_MS: '',
  PHENIXID_API_CALLS_PER_SECOND: '',
};
const withoutRisrApi = {
  RISR_API_URL: '',
  RISR_API_DISCOVERY_URL: '',
  RISR_API_CLIENT_ID: '',
  RISR_API_CLIENT_SECRET: '',
  RISR_API_ORGANISATION: '',
  RISR_API_CALLS_PER_SECOND: '',
};

it.each([
  [
    'interview',
    withoutHotdocsApi,
    'interview: at the platform, post-processing has ended – NOT so: the version is PostProcessing',
  ],
  [
    'signing',
    withoutPhenixidApi,
    expect.stringMatching(
      /^signing: at the receiver, the signed file is archived, once – NOT so: \S+ is not archived$/,
    ),
  ],
  [
    'trainee',
    withoutRisrApi,
    'trainee: at the platform, the profile has the college number – NOT so: there is none',
  ],
])('says what is missing of %s, and where, when the receiver cannot call back', async (name, env, words) => {
  const stage = await start({ env });
  expect(missingIn(await playOn(stage, scenarioOf(name)))).toContainEqual(words);
});

it('names the step that cannot be taken', async () => {
  const stage = await start();
  const scenario: Scenario = {
    ...scenarioOf('trainee'),
    begin: ({ risr }) => [
      { does: 'confirms nothing', act: () => risr.transition('none', 'Confirm'), effects: [] },
    ],
  };
  expect(missingIn(await playOn(stage, scenario))).toEqual([
    'trainee: at the platform, somebody confirms nothing – NOT so: There is no such booking.',
  ]);
});

it('looks at the platform only where the receiver is another process', async () => {
  const stage = await start();
  const world = { ...stage.world, receiver: undefined };
  const { observed } = await play(scenarioOf('signing'), world, { settle: () => stage.settle() });
  expect(new Set(observed.map(({ where }) => where))).toEqual(new Set(['platform']));
});

const body = Buffer.from('a document');
const sha256 = hash('sha256', body);
const copy = { owner: 'task', document: 'file', sha256 };

it.each([
  ['is not there', [], 'file is not archived'],
  ['is there twice', [copy, copy], 'file is archived 2 times'],
  ['has other bytes', [{ ...copy, sha256: 'f'.repeat(64) }], 'file is archived with ffffffff…'],
  ['is not alone', [copy, { ...copy, document: 'other' }], '2 files are archived, not 1'],
])('notices that a file in the archive %s', (_what, archived, words) => {
  const finding = findArchived(archived, 'task', [{ id: 'file', body }]);
  expect(finding).toEqual({ missing: expect.stringContaining(words) });
});

it('counts the stamps of a PDF', async () => {
  const plain = createPdf(['Lease 7']);
  const stamped = async (pdf: Buffer) => {
    const file = fileWith(pdf);
    const { signal } = new AbortController();
    return (await withFooter({ file, bytes: pdf.length }, 'Lease 7', signal)) ?? Buffer.of();
  };
  const once = await stamped(plain);
  const twice = await stamped(once);
  expect([plain, once, twice].map((pdf) => countInPdf(pdf, 'Lease 7'))).toEqual([1, 2, 3]);
});
