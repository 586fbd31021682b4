// What runApart runs in its tests.

type Input =
  'answer' | 'nothing' | 'throw' | 'loop' | 'fill' | 'file' | 'wait' | 'much' | 'end' | 'environment';

export async function run(what: Input): Promise<Uint8Array | undefined> {
  switch (what) {
    case 'answer':
      return Buffer.from('an answer');
    case 'environment':
      return Buffer.from(JSON.stringify(Object.keys(process.env)));
    case 'nothing':
      return undefined;
    case 'throw':
      throw new Error('it is broken');
    case 'loop':
      for (;;);
    case 'fill': {
      // Outside of what V8 counts as its heap.
      const filled: Buffer[] = [];
      for (;;) filled.push(Buffer.alloc(10_000_000, filled.length));
    }
    case 'file':
      return (await import('node:fs')).readFileSync('/there/is/none');
    case 'wait':
      return new Promise(() => setInterval(() => undefined, 1000));
    case 'much':
      return Buffer.alloc(2_000_000);
    case 'end':
      process.exit(3);
  }
}
