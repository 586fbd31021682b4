import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { example } from '../../src/example/index.ts';
import { stagedExample } from '../../src/example/staged.ts';
import { readOptions, runCommand } from '../../src/lab/command.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { play } from '../../src/lab/mock/scenarios/play.ts';
import { scenarios } from '../../src/lab/mock/scenarios/index.ts';
import { createSender } from '../../src/lab/mock/sender.ts';
import { chromiumHere } from '../../src/lab/rig/chromium.ts';
import { inNewFolder } from '../../src/lab/rig/folder.ts';
import { credentialsFrom } from '../../src/lab/stage/credentials.ts';
import { setUp, type Stage } from '../../src/lab/stage/stage.ts';

const USAGE = `Takes pictures of the console, with the reference receiver behind it and the three products before it.

  npm run prove -- screenshots [--to folder]

  --to folder   where those of all views are written, light and dark (default data/screenshots)

Small ones for the documents are written to src/kit/console/screenshots. Needs Chromium.
Exit code: 0 they are written, 2 Chromium is not installed.
`;

const DOCUMENTS = fileURLToPath(new URL('../../src/kit/console/screenshots/', import.meta.url));

/** So wide a picture stands in a document; the page itself is shown a little smaller than it is. */
const WIDTH = 960;
const VIEWPORT = { width: 1040, height: 650 };

await runCommand(async (args) => {
  const { values } = readOptions({ args, options: { to: { type: 'string', default: 'data/screenshots' } } });
  const here = chromiumHere();
  if (here === undefined) {
    console.error('Chromium is not installed here, nor named by CHROME_PATH.');
    return 2;
  }
  const browser = await chromium.launch(here);
  try {
    await inNewFolder('screenshots', (folder) => takeAll(browser, folder, values.to));
    return 0;
  } finally {
    await browser.close();
  }
}, USAGE);

async function takeAll(browser: Browser, folder: string, to: string): Promise<void> {
  const stage = await setUp(stagedExample, folder, { env: { PORT: '0', ADMIN_PORT: '0', TAPE: 'all' } });
  try {
    await playStory(stage);
    const views = await viewsOf(stage);
    for (const folder of [to, DOCUMENTS]) mkdirSync(folder, { recursive: true });
    for (const view of views) {
      for (const scheme of ['light', 'dark'] as const) await takeLarge(browser, stage, view, scheme, to);
      if (view.inDocuments) await takeSmall(browser, stage, view);
    }
  } finally {
    await stage.tearDown();
  }
}

/** A day at work: the products send, a few things go wrong, and one sender has another secret than the receiver. */
async function playStory(stage: Stage): Promise<void> {
  const { world, senders } = stage;
  for (const scenario of scenarios) await play(scenario, world, { settle: () => stage.settle() });
  const [hotdocs, phenixid, risr] = senders;
  await hotdocs?.fire('InterviewLoadEvent', { fault: 'duplicate' });
  for (const name of ['first', 'second', 'third'])
    await risr?.fire('booking_updated', { payload: { id: name, rev: '1-a' } });
  await phenixid?.fire('OrderSigned', { payload: { taskId: 7 } });
  await hotdocs?.fire('NewWorkItemVersionComplete', { fault: 'tampered-byte' });
  await stage.settle();
  await fireWithBlank(stage);
  await risr?.fire('user_registered'); // of somebody whom the product does not know: it will be tried again
}

/** Signed with a secret that was copied with the blank behind it. */
async function fireWithBlank({ app, env, senders }: Stage): Promise<void> {
  const source = senders.find((sender) => sender.source.name === 'phenixid')?.source;
  if (source === undefined) return;
  const credentialsOf = credentialsFrom(env, example)(source);
  const sender = createSender({
    source,
    url: new URL(app.url),
    random: createRandom(1),
    credentialFor(to) {
      const credential = credentialsOf(to);
      return { ...credential, text: `${credential.text} ` };
    },
  });
  await sender.fire('OrderAccepted');
  sender.close();
}

interface View {
  readonly name: string;
  readonly address: string;
  readonly inDocuments?: boolean;
  /** What is done on it before. */
  readonly prepare?: (page: Page) => Promise<void>;
}

async function viewsOf({ app: { inbox } }: Stage): Promise<readonly View[]> {
  const entries = await inbox.list({ limit: 500 });
  const step = entries.find(({ endpoint }) => endpoint.startsWith('#'));
  const event = entries.findLast(({ request }) => request === step?.request);
  return [
    {
      name: 'list',
      address: '/',
      inDocuments: true,
      prepare: (page) => page.getByText('Live, newest').waitFor(),
    },
    { name: 'delivery', address: `/deliveries/${event?.seq ?? 1}` },
    { name: 'refused', address: '/?state=refused', inDocuments: true, prepare: explain },
    { name: 'state', address: '/state', inDocuments: true },
    { name: 'mock', address: '/mock' },
  ];
}

async function explain(page: Page): Promise<void> {
  await page.locator('#rows a', { hasText: 'phenixid' }).first().click();
  await page.getByRole('button', { name: 'Explain it' }).click();
  await page.locator('#explained pre').waitFor();
}

async function takeLarge(
  browser: Browser,
  stage: Stage,
  view: View,
  colorScheme: 'light' | 'dark',
  to: string,
): Promise<void> {
  const page = await open(browser, stage, view, { colorScheme, viewport: { width: 1280, height: 800 } });
  const file = join(to, `${view.name}-${colorScheme}.png`);
  await page.screenshot({ path: file });
  console.log(file);
  await page.context().close();
}

async function takeSmall(browser: Browser, stage: Stage, view: View): Promise<void> {
  const options = { viewport: VIEWPORT, deviceScaleFactor: WIDTH / VIEWPORT.width };
  const page = await open(browser, stage, view, options);
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 60 });
  const bytes = Buffer.from(data, 'base64');
  const file = join(DOCUMENTS, `${view.name}.webp`);
  writeFileSync(file, bytes);
  console.log(`${file}, ${Math.ceil(bytes.length / 1_000)} kB`);
  await page.context().close();
}

async function open(
  browser: Browser,
  { app: { adminUrl = '' } }: Stage,
  { address, prepare }: View,
  options: Parameters<Browser['newContext']>[0],
): Promise<Page> {
  const context = await browser.newContext({ ...options, baseURL: adminUrl, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(address);
  await prepare?.(page);
  return page;
}
