import { ServerResponse } from 'node:http';
import { endpointsOf } from '../../../src/kit/endpoints.ts';
import { definitionOf, type Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { pass } from './fault.ts';
import { wrapMethod } from './wrap.ts';

/** Passes the points around each reply with which a delivery is accepted. */
export function watchReplies(): void {
  const modes = modesByPath();
  const prototype = ServerResponse.prototype as ServerResponse; // typed as if its request could be anything
  wrapMethod(prototype, 'writeHead', ({ self, args, go }) => {
    const [path = ''] = (self.req.url ?? '').split('?');
    const mode = modes.get(path);
    if (mode === undefined || Number(args[0]) >= 300) return go();
    if (mode === 'reply') pass('before-answer');
    self.once('finish', () => pass(mode === 'reply' ? 'answer-sent' : 'reply-sent'));
    return go();
  });
}

function modesByPath(): Map<string, 'notify' | 'reply'> {
  return new Map(
    sources.flatMap((source: Source) =>
      endpointsOf(source).map(({ path, type }) => [
        path,
        (type === undefined ? undefined : definitionOf(source, type)?.mode) ?? 'notify',
      ]),
    ),
  );
}
