import { hash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { decodePDFRawStream, PDFArray, PDFDocument, PDFRawStream } from 'pdf-lib';
import { replyJson } from '../../../src/lab/mock/platforms/platform.ts';
import { until } from '../../support/until.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { startProducts, type Products } from '../../support/products.ts';

/** Completes an interview at HotDocs Advance, and waits until all that follows from it is done. */
async function finish({ hotdocs, settled }: Products, name = 'Lease 2024-118'): Promise<string> {
  const { id } = hotdocs.createWorkItem({ name });
  await hotdocs.finishAssembly(id);
  await settled();
  return id;
}

function versionOf({ hotdocs }: Products, id: string) {
  const version = hotdocs.workItem(id).versions.at(-1);
  if (version === undefined) throw new Error('no version');
  return version;
}

/** What is written on each page of a PDF, as far as pdf-lib wrote it. */
async function writtenOn(pdf: Buffer | undefined): Promise<string[]> {
  const document = await PDFDocument.load(pdf ?? Buffer.of());
  return document.getPages().map((page) => {
    const contents = page.node.Contents();
    const streams =
      contents instanceof PDFArray
        ? contents.asArray().map((ref) => document.context.lookup(ref))
        : [contents];
    const text = streams
      .filter((stream) => stream instanceof PDFRawStream)
      .map((stream) => Buffer.from(decodePDFRawStream(stream).decode()).toString('latin1'))
      .join('\n');
    return [...text.matchAll(/<([0-9A-F]+)> Tj/g)]
      .map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1'))
      .join('|');
  });
}

it('changes the documents, lets the user have them, and archives what he got', async () => {
  const all = await startProducts();
  const id = await finish(all);
  const version = versionOf(all, id);
  expect(version.status).toBe('Completed');
  expect(version.documents.map(({ fileName }) => fileName)).toEqual([
    'Cover Sheet.pdf',
    'Lease Agreement.docx',
    'Cover Letter.pdf',
  ]);
  const [cover, , letter] = version.documents;
  expect(await writtenOn(letter?.body)).toEqual(['Lease 2024-118']);
  expect(await writtenOn(cover?.body)).toEqual(['Lease 2024-118|Lease Agreement']);
  const archive = new Map(all.archived().map((document) => [document.key, document]));
  for (const { id: documentId, name, body } of version.documents) {
    const kept = archive.get(`hotdocs/${id}/${version.id}/${documentId}`);
    expect(kept).toMatchObject({ name, bytes: body.length, sha256: hash('sha256', body) });
    expect(kept?.body.equals(body)).toBe(true);
  }
});

it('archives a document once, however often the event comes', async () => {
  const all = await startProducts({ webhooks: ['NewWorkItemVersionComplete'] });
  all.hotdocs.choose({ retries: '1' });
  await finish(all);
  const downloads = () => all.calls.filter((call) => /^GET .*\/Content$/i.test(call));
  expect(downloads()).toHaveLength(2);
  for (const { seq } of await all.receiver().app.inbox.list({ limit: 10 }))
    await all.receiver().app.inbox.replay(seq);
  await all.settled();
  expect(downloads()).toHaveLength(2);
  expect(
    all
      .archived()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['Cover Letter', 'Lease Agreement']);
});

it('changes each document once although an attempt ended in the middle', async () => {
  const all = await startProducts();
  let cut = 0;
  all.disturb = (_, { method, path }) => {
    // The second document cannot be uploaded at first; the first one has its footer by then.
    if (method !== 'PUT' || path.at(-1)?.toLowerCase() !== 'content' || ++cut !== 2) return undefined;
    return { reply: replyJson(400, { message: 'not now' }) };
  };
  const { id } = all.hotdocs.createWorkItem({
    documents: [
      { name: 'Lease Agreement', format: 'pdf' },
      { name: 'Cover Letter', format: 'pdf' },
    ],
  });
  await all.hotdocs.finishAssembly(id);
  await all.settled();
  await until('it is completed', () => versionOf(all, id).status === 'Completed');
  for (const { body } of versionOf(all, id).documents) {
    expect(await writtenOn(body)).toEqual(['Lease 2024-118']);
  }
});

it('works on when the API is back', async () => {
  const all = await startProducts();
  let down = true;
  all.disturb = () => (down ? { reply: replyJson(403, { message: 'closed' }) } : undefined);
  const id = await finish(all);
  expect(versionOf(all, id).status).toBe('PostProcessing');
  down = false;
  await until('it is completed', () => versionOf(all, id).status === 'Completed');
  await all.settled();
  expect(all.archived().filter(({ key }) => !key.endsWith('/original'))).toHaveLength(3);
});

it.each([
  ['failed', 'true', 'PostProcessingFailed'],
  ['failed', 'false', 'Completed'],
  ['complete', 'true', 'Completed'],
])(
  'with the policy %s, failure to be reported: %s, a failure for good ends in %s',
  async (policy, allowFailed, ends) => {
    const all = await startProducts({
      env: { HANDLER_ATTEMPTS: '1', HOTDOCS_POST_PROCESSING_FAILURE: policy },
    });
    all.hotdocs.choose({ allowFailed });
    all.disturb = (_, { method, path }) =>
      method === 'PUT' && path.at(-1)?.toLowerCase() === 'content'
        ? { reply: replyJson(400, {}) }
        : undefined;
    const id = await finish(all);
    expect(versionOf(all, id).status).toBe(ends);
    const [dead] = await all.receiver().app.inbox.list({ status: 'dead', limit: 10 });
    expect(dead).toMatchObject({ type: 'PostProcessingEvent', attempts: 1 });
    const [docx] = versionOf(all, id).documents;
    expect(docx?.body.subarray(0, 2).toString()).toBe('PK');
  },
);

it('reports a failure at once where trying again cannot help', async () => {
  const all = await startProducts();
  all.hotdocs.choose({ docUrl: 'v2.0-versioned' });
  const broken = { reply: { status: 200, headers: {}, body: Buffer.from('%PDF-1.7 and no more') } };
  all.disturb = (_, { method, path }) => (method === 'GET' && path.at(-1) === 'Content' ? broken : undefined);
  const id = await finish(all);
  expect(versionOf(all, id).status).toBe('PostProcessingFailed');
  expect(await all.receiver().app.inbox.list({ status: 'dead', limit: 10 })).toMatchObject([
    { attempts: 1, note: expect.stringContaining('handler_gave_up') as unknown },
  ]);
});

it('goes to no host that is not listed, and leaves the entry to a human at once', async () => {
  const all = await startProducts({ env: { HOTDOCS_POST_PROCESSING_FAILURE: 'failed' } });
  const before = all.calls.length;
  await all.receiver().sender.fire(hotdocs, 'NewWorkItemVersionComplete');
  await all.settled();
  expect(await all.receiver().app.inbox.list({ limit: 1 })).toMatchObject([{ status: 'dead', attempts: 1 }]);
  expect(all.calls).toHaveLength(before);
});

const hashes = /script-src 'sha256-[A-Za-z0-9+/]{43}='$/;

it('hands answers from an action link to one origin only, by a script that its policy names', async () => {
  const all = await startProducts({ env: { HOTDOCS_ACTION_LINK_ORIGIN: 'https://acme.hotdocsadvance.com' } });
  const id = await finish(all, '</script><script>alert(1)</script>');
  const { reply } = await all.hotdocs.clickActionLink(id, 'Sign');
  const page = reply?.body.toString() ?? '';
  const policy = String(reply?.headers['content-security-policy']);
  expect(policy).toMatch(/^default-src 'none'/);
  expect(policy).toMatch(hashes);
  const [, script = ''] = /<script>([^]*?)<\/script>/.exec(page) ?? [];
  expect(policy).toContain(hash('sha256', script, 'base64'));
  expect(page.match(/<script/g)).toHaveLength(2);
  const [, told = ''] = /<script type="application\/json" id="told">([^<]*)<\/script>/.exec(page) ?? [];
  const message = JSON.parse(told) as { origin: string; message: string; answers: object };
  expect(message).toMatchObject({ origin: 'https://acme.hotdocsadvance.com', message: 'answers' });
  all.hotdocs.handBack(id, message.answers);
  expect(versionOf(all, id).answers).toMatchObject({ 'Tenant Name': 'Jonas Weber', 'Monthly Rent': 1450.5 });
});

it('has no script where no origin is set', async () => {
  const all = await startProducts();
  const { reply } = await all.hotdocs.clickActionLink(await finish(all), 'Sign');
  expect(reply?.status).toBe(200);
  expect(reply?.body.toString()).not.toContain('<script');
  expect(reply?.headers['content-security-policy']).not.toMatch(/script-src/);
});
