import { DeadLetter } from '../../errors.ts';
import { readJson } from '../../reading/json.ts';
import type { ReceivedReply, Verdict } from '../../source.ts';
import { AnswersInvalid } from './answers/answers.ts';
import { readAnswers } from './answers/dialects.ts';
import { ACTION_LINK, countAnswers, events } from './events.ts';
import type { Choices } from './switches.ts';

/** What Advance would make of a reply. How long it waits and what it forgives is not documented (HD-11, HD-34). */
export function judge(reply: ReceivedReply, type: string, choices: Choices): Verdict {
  const { status, ms } = reply;
  const timeoutMs = Number(choices.timeoutMs);
  if (ms > timeoutMs) return failed(`no reply within ${timeoutMs} ms`);
  if (status >= 300 && status < 400) return failed(`status ${status}: redirects are not followed`);
  if (status < 200 || status >= 300) return failed(`status ${status}`);
  if (type === ACTION_LINK) return judgePage(reply);
  return waits(type) ? judgeAnswers(reply, choices) : { ok: true, says: `delivered, status ${status}` };
}

function waits(type: string): boolean {
  return Object.entries(events).some(([known, { mode }]) => known === type && mode === 'reply');
}

function judgePage(reply: ReceivedReply): Verdict {
  if (reply.status !== 200) return failed(`status ${reply.status}: a page comes with 200`);
  if (!/^text\/html\b/i.test(contentType(reply))) return failed('a page was expected, as text/html');
  return { ok: true, says: `a page of ${reply.body.length} bytes` };
}

function judgeAnswers(reply: ReceivedReply, choices: Choices): Verdict {
  const limit = Number(choices.externalAnswersMaxBytes);
  if (reply.status !== 200) return failed(`status ${reply.status}: answers come with 200`);
  if (!/\bjson\b/i.test(contentType(reply))) return failed('answers were expected, as application/json');
  if (reply.body.length > limit) {
    return failed(`answers of ${reply.body.length} bytes, ExternalAnswersMaxBytes is ${limit}`);
  }
  return judgeContent(reply.body, choices.answerDialect);
}

function judgeContent(body: Buffer, accepted: Choices['answerDialect']): Verdict {
  try {
    const { dialect, answers } = readAnswers(readJson(body), {
      dialect: accepted === 'any' ? undefined : accepted,
    });
    return { ok: true, says: `${countAnswers(answers)}, dialect ${dialect}` };
  } catch (error) {
    if (error instanceof DeadLetter) return failed('the reply is not JSON');
    if (error instanceof AnswersInvalid) return failed(`answers that cannot be read: ${error.message}`);
    throw error;
  }
}

function contentType({ headers }: ReceivedReply): string {
  return [headers['content-type'] ?? ''].flat().join();
}

function failed(says: string): Verdict {
  return { ok: false, says };
}
