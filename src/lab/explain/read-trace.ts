import { UsageError } from '../usage.ts';

// What curl writes about a request: --trace and --trace-ascii all of it, -v its head. https://curl.se/docs/manpage.html

interface Trace {
  readonly bytes: Buffer;
  /** The head of what was answered. */
  readonly answer: string;
  readonly doubts: readonly string[];
}

/** A block of a trace: `=> Send data, 23 bytes (0x17)`; with --trace-time and --trace-ids something stands before it. */
const BLOCK = /^(?:[\d:.[\]x-]+ )*(=>|<=|==) (?:(Send|Recv) (header|data|SSL data), (\d+) bytes|Info)/;
const LINE = /^([0-9a-f]{4,8}): (.*)$/;
const HEX = /^((?:[0-9a-f]{2} ){1,16}) {0,48}/;

interface Block {
  readonly isSent: boolean;
  readonly kind: string;
  readonly size: number;
  readonly lines: readonly (readonly [offset: number, text: string])[];
}

/** What was sent, of a file that --trace or --trace-ascii has written; `undefined` if it is none. */
export function readTrace(file: Buffer): Trace | undefined {
  const lines = file.toString('latin1').split(/\r?\n/);
  if (!lines.slice(0, 100).some((line) => BLOCK.test(line) && line.includes('=> Send header')))
    return undefined;
  const blocks = blocksOf(lines).filter(({ kind }) => kind === 'header' || kind === 'data');
  const sent = blocks.filter(({ isSent }) => isSent);
  if (sent.filter(({ kind }) => kind === 'header').length > 1) {
    throw new UsageError(
      'The trace holds several requests: keep the one that is to be explained, without -L.',
    );
  }
  const isHex = sent.every(({ lines: of }) => of.every(([, text]) => HEX.test(text)));
  const bytesOf = (block: Block) => (isHex ? ofHex(block) : ofText(block));
  const bytes = sent.map(bytesOf);
  const data = bytes.filter((_, index) => sent[index]?.kind === 'data');
  const isLossy = !isHex && data.some((part) => part.toString('latin1').replace(TOKEN, '').includes('.'));
  const answer = blocks.filter(({ isSent, kind }) => !isSent && kind === 'header').map(bytesOf);
  return {
    bytes: Buffer.concat(bytes),
    answer: Buffer.concat(answer).toString('latin1'),
    doubts: isLossy ? [DOTS] : [],
  };
}

const DOTS =
  'curl --trace-ascii writes a dot for each byte that it cannot print, a line end or a letter with an accent: with --trace ' +
  'it writes all of them.';
/** Its dots are its own, also where it is badly spelled. */
const TOKEN = /[\w+/=% -]+\.[\w+/=% -]+\.[\w+/=% -]+/g;

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: { isSent: boolean; kind: string; size: number; lines: (readonly [number, string])[] }[] = [];
  let open = false;
  for (const line of lines) {
    const begun = BLOCK.exec(line);
    if (begun !== null) {
      open = begun[1] !== '==';
      if (open)
        blocks.push({ isSent: begun[1] === '=>', kind: begun[3] ?? '', size: Number(begun[4]), lines: [] });
      continue;
    }
    const [, offset, text] = LINE.exec(line) ?? [];
    if (open && offset !== undefined && text !== undefined) {
      blocks.at(-1)?.lines.push([Number.parseInt(offset, 16), text]);
    }
  }
  return blocks;
}

function ofHex({ lines }: Block): Buffer {
  return Buffer.from(
    lines.map(([, text]) => (HEX.exec(text)?.[1] ?? '').replaceAll(' ', '')).join(''),
    'hex',
  );
}

/** A CR LF ends a line and is not shown: the offset of the next line tells of it. */
function ofText({ size, lines }: Block): Buffer {
  let text = '';
  for (const [offset, shown] of lines) text = filled(text, offset) + shown;
  return Buffer.from(filled(text, size), 'latin1');
}

function filled(text: string, length: number): string {
  return text.padEnd(length, '\r\n');
}

/** What `curl -v` shows behind `>`, and behind `<`; `undefined` if the file is no such thing. */
export function sentByCurl(file: Buffer): Omit<Trace, 'doubts'> | undefined {
  const lines = file.toString('latin1').split(/\r?\n/);
  const shown = lines.filter((line) => /^>( |$)/.test(line));
  if (!/^> [A-Z]+ \S+ HTTP\//.test(shown[0] ?? '')) return undefined;
  if (shown.filter((line) => /^> [A-Z]+ \S+ HTTP\//.test(line)).length > 1) {
    throw new UsageError('curl -v shows several requests: keep the one that is to be explained.');
  }
  const plain = (some: readonly string[]) => `${some.map((line) => line.slice(2)).join('\r\n')}\r\n`;
  return {
    bytes: Buffer.from(plain(shown), 'latin1'),
    answer: plain(lines.filter((line) => line.startsWith('< '))),
  };
}
