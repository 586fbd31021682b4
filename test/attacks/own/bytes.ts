import { gzipSync } from 'node:zlib';
import { replaced, withBody, withHeader } from '../../../src/lab/conformance/making/edit.ts';
import type { Trial } from '../../../src/lab/conformance/rule.ts';
import { accepts, at, own, refuses, together, type Own } from './own.ts';

const NOTE = '{"eventType":"OrderSigned","taskId":"t"}';
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Content of our choosing, rightly signed, and kept. */
function kept(name: string, content: string | Buffer): Trial {
  return accepts(name, (_genuine, stage) => stage.proven(content));
}

const charsets = [
  'utf-7',
  'utf-16',
  'utf-16le',
  'utf-32',
  'iso-8859-1',
  'us-ascii',
  'x-unknown',
  '',
  'utf-8; charset=utf-7',
];

const claimed = ['application/json', 'application/x-www-form-urlencoded'].flatMap((type) =>
  charsets.map((charset, index) =>
    accepts(`called ${type} in charset ${index}`, (genuine) =>
      withHeader(genuine, 'Content-Type', `${type}; charset=${charset}`),
    ),
  ),
);

function encoded(coding: string): Trial {
  return refuses(`called ${coding} and not packed`, (genuine) =>
    withHeader(genuine, 'Content-Encoding', coding),
  );
}

const formBlanks: Readonly<Record<string, string>> = {
  'a line feed': '\n',
  'a line end': '\r\n',
  'a blank': ' ',
  'an escaped line feed': '%0A',
  'an escaped blank': '%20',
  'a plus sign': '+',
};

type Around = (body: Buffer, text: string) => Buffer;
const behind: Around = (body, text) => Buffer.concat([body, Buffer.from(text)]);
const inside: Around = (body, text) => replaced(body, '=', `=${text}`);

function blanksIn(places: Readonly<Record<string, Around>>): Trial[] {
  return Object.entries(formBlanks).flatMap(([name, text]) =>
    Object.entries(places).map(([place, put]) =>
      refuses(`${name} ${place}`, (genuine) => withBody(genuine, put(genuine.body, text))),
    ),
  );
}

/** A decoder that takes text for ASCII drops the bit again. */
const lastEighthBit = refuses('an eighth bit in its last character', (genuine) => {
  const body = Buffer.from(genuine.body);
  body.writeUInt8(body.readUInt8(body.length - 1) | 0x80, body.length - 1);
  return withBody(genuine, body);
});

const PRETTY = '{\n  "eventType": "OrderSigned",\n  "taskId": "t"\n}';

/** Group E. */
export const ownBytes: readonly Own[] = [
  own(
    'E1',
    'keeps a byte order mark that was signed, for a human',
    'json_invalid',
    at('phenixid', [kept('a mark that was signed', Buffer.concat([BOM, Buffer.from(NOTE)]))]),
  ),
  own(
    'E2',
    'tells further bytes apart',
    { 'phenixid*': 'proof_mismatch', '*': 'proof_malformed' },
    together(
      at('hotdocs/form risr', [lastEighthBit]),
      at('phenixid', [
        refuses('U+FFFD for a byte that is no UTF-8', async (_genuine, stage) =>
          withBody({ ...(await stage.proven(Buffer.from([0x22, 0xff, 0x22]))), ref: '' }, '"\ufffd"'),
        ),
      ]),
    ),
  ),
  own(
    'E3',
    'believes no charset of any type',
    { 'hotdocs/multipart: *': 'proof_missing', '*': 'done' },
    together(
      at('hotdocs/form phenixid risr', claimed),
      at('hotdocs/multipart', [
        refuses('two boundaries', (genuine) =>
          withHeader(
            genuine,
            'Content-Type',
            'multipart/form-data; boundary=a',
            'multipart/form-data; boundary=b',
          ),
        ),
      ]),
    ),
  ),
  own(
    'E4',
    'undoes no encoding, whatever it is called',
    { '*: packed, and not called so': 'json_invalid', '*, which is none': 'done', '*': 'body_encoded' },
    together(
      at('hotdocs/form hotdocs/query phenixid risr', [
        ...['GZIP', 'x-unknown', 'identity, gzip'].map(encoded),
        ...['identity', 'Identity', '', ' ', 'identity, identity', 'UTF-8'].map((coding, index) =>
          accepts(`called something (${index}), which is none`, (genuine) =>
            withHeader(genuine, 'Content-Encoding', coding),
          ),
        ),
      ]),
      at('hotdocs/query', ['gzip', 'deflate', 'br', 'zstd'].map(encoded)),
      at('phenixid', [
        refuses('packed, and signed so', async (_genuine, stage) =>
          withHeader(await stage.proven(gzipSync(NOTE)), 'Content-Encoding', 'gzip'),
        ),
        kept('packed, and not called so', gzipSync(NOTE)),
      ]),
    ),
  ),
  own(
    'E6',
    'keeps DEL as it is',
    'done',
    at('risr phenixid', [
      accepts('DEL', (_genuine, stage) => {
        const id = `del-${String(stage.random())}`;
        return stage.proven(
          `{"webhook_request_id":"${id}","id":"${id}","rev":"1-a","eventType":"OrderSigned","taskId":"t","x":"\x7f"}`,
        );
      }),
    ]),
  ),
  own(
    'E7',
    'takes blanks off where its sender may write them, and nowhere else',
    {
      'phenixid*': 'done',
      '*': 'proof_malformed',
    },
    together(
      at('phenixid', [
        kept('line ends that were signed', PRETTY),
        kept('blanks around that were signed', ` \t\r\n${PRETTY}\n`),
      ]),
      at('hotdocs/form', blanksIn({ 'in front': inside, behind })),
      at('hotdocs/form risr', [
        refuses('a line feed in front of a dot', (genuine) =>
          withBody(genuine, replaced(genuine.body, '.', '\n.')),
        ),
      ]),
    ),
  ),
  own(
    'E8',
    'proves a body without a type like any other',
    { 'phenixid*': 'proof_mismatch', '*': 'proof_malformed' },
    at('hotdocs/form phenixid risr', [
      refuses('another last byte, without a type', (genuine) => {
        const body = Buffer.concat([genuine.body.subarray(0, -1), Buffer.from('!')]);
        return withHeader(withBody(genuine, body), 'Content-Type');
      }),
    ]),
  ),
];
