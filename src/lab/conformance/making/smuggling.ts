import type { Trial } from '../rule.ts';
import { tried, worse } from '../trials.ts';
import { judgeAnswer, type Answers } from './answers.ts';
import { piecesOf, type Pieces } from './raw.ts';

/** Puts a request together in another way. */
export type Write = (pieces: Pieces) => Buffer;

/** Long enough for a second reply on the same connection, short enough to be tried a hundred times. */
const SECOND_REPLY_MS = 60;

/**
 * Once alone, and once with a genuine request hidden behind it, which must never be found: it also makes some parsers
 * refuse that would have been content without it.
 */
export function smuggling(name: string, write: Write, answers: Answers): Trial {
  return tried(name, async (stage) => {
    const options = { allows: [501, 505], manner: { lingerMs: SECOND_REPLY_MS }, timeoutMs: 5_000 };
    const alone = await stage.send(write(await piecesOf(stage)), 'alone', options);
    const pieces = await piecesOf(stage);
    const both = Buffer.concat([write(pieces), pieces.hidden]);
    const hiding = await stage.send(both, 'with a request behind it', options);
    return worse(judgeAnswer(alone, answers), judgeAnswer(hiding, { ...answers, alone: true }));
  });
}
