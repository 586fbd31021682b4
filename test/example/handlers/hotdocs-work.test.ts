import { hash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { decodePDFRawStream, PDFArray, PDFDocument, PDFRawStream } from 'pdf-lib';
import { replyJson, type PlatformReply } from '../../../src/lab/mock/platforms/platform.ts';
import { until } from '../../support/until.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { pdfThatUnpacksTo, pdfWith } from '../../support/pdfs.ts';
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
  const id = await finishWith(all, Buffer.from('%PDF-1.7 and no more\n%%EOF\n'));
  expect(versionOf(all, id).status).toBe('PostProcessingFailed');
  expect(await all.receiver().app.inbox.list({ status: 'dead', limit: 10 })).toMatchObject([
    { attempts: 1, note: expect.stringContaining('handler_gave_up: Stamping a PDF failed') as unknown },
  ]);
});

it('ends what unpacks a PDF to more than it may, and reports that at once', async () => {
  const all = await startProducts();
  const id = await finishWith(all, pdfThatUnpacksTo(2_000));
  expect(versionOf(all, id).status).toBe('PostProcessingFailed');
  expect(await all.receiver().app.inbox.list({ status: 'dead', limit: 10 })).toMatchObject([
    { attempts: 1, note: expect.stringMatching(/^handler_gave_up: .*more than \d+ MB of memory/) as unknown },
  ]);
});

it('leaves a signed document whole, and lays a cover sheet beside it', async () => {
  const all = await startProducts();
  const signed = pdfWith('/Sig 6 0 R', '6 0 obj\n<</Type/Sig/ByteRange[0 10 20 30]>>\nendobj\n');
  const version = versionOf(all, await finishWith(all, signed));
  expect(version.status).toBe('Completed');
  const [cover, lease] = version.documents;
  expect(await writtenOn(cover?.body)).toEqual(['Lease 2024-118|Lease Agreement']);
  expect(all.calls.filter((call) => call.startsWith('PUT') && call.includes(String(lease?.id)))).toEqual([]);
});

it.each([
  ['202, not ready', { status: 202, headers: { 'Retry-After': '1' }, body: Buffer.from('{}') }],
  ['nothing', { status: 200, headers: {}, body: Buffer.of() }],
  [
    'a page to sign in',
    { status: 200, headers: {}, body: Buffer.from('<!doctype html><title>Sign in</title>') },
  ],
  ['half of it', { status: 200, headers: {}, body: pdfWith('', '').subarray(0, 200) }],
])(
  'tries again where a document is answered with %s, and lets nobody have it meanwhile',
  async (_what, reply) => {
    const all = await startProducts();
    const id = await finishWith(all, reply);
    expect(versionOf(all, id).status).toBe('PostProcessing');
    expect(await all.receiver().app.inbox.list({ limit: 1 })).toMatchObject([
      { status: 'waiting', attempts: 1 },
    ]);
    all.disturb = () => undefined;
    await until('it is completed', () => versionOf(all, id).status === 'Completed');
    await all.settled();
    expect(all.archived().filter(({ key }) => key.endsWith('/original'))).toHaveLength(1);
  },
);

/** Completes an interview with one document, a PDF, that the API hands out as this. */
async function finishWith(all: Products, content: Buffer | PlatformReply): Promise<string> {
  all.hotdocs.choose({ docUrl: 'v2.0-versioned' });
  const reply = Buffer.isBuffer(content) ? { status: 200, headers: {}, body: content } : content;
  all.disturb = (_, { method, path }) =>
    method === 'GET' && path.at(-1) === 'Content' ? { reply } : undefined;
  const { id } = all.hotdocs.createWorkItem({ documents: [{ name: 'Lease Agreement', format: 'pdf' }] });
  await all.hotdocs.finishAssembly(id);
  await all.settled();
  return id;
}

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
