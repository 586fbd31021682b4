import type { Finding, Rule } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { switchesOf } from '../../mock/request.ts';
import { isAwaited } from '../making/own-content.ts';
import { describe, failed, tried, worse } from '../trials.ts';
import type { Observation, WireRequest } from '../wire.ts';

/** What the sender makes of the reply to a genuine delivery. */
export const replyRules: readonly Rule[] = [
  {
    id: 'U14-sender-content',
    group: 'U',
    title: 'answers a genuine delivery as its sender wants it answered',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'A status of success is not all: where somebody waits for the reply, a body that the sender cannot read is an error on the screen.',
    fix: 'Answer as the manual of the sender says: see what was observed for the difference.',
    trials: () => [
      tried('the reply to a genuine delivery', async (stage) => judged(stage, await stage.genuine())),
      tried('the reply to one that comes again', again),
      tried('the replies to ten more', async (stage) => {
        let finding = await judged(stage, await stage.genuine());
        for (let more = 1; more < 10; more += 1)
          finding = worse(finding, await judged(stage, await stage.genuine()));
        return finding;
      }),
    ],
  },
];

/** Who asks again has not got the first answer. */
async function again(stage: Stage): Promise<Finding> {
  const request = await stage.genuine();
  const first = await stage.send(request, 'first');
  const second = await stage.send(request, 'again');
  const finding = judge(stage, second);
  const isLess = isAwaited(stage.endpoint) && !saysNothing(first) && saysNothing(second);
  if (finding.outcome !== 'passed' || !isLess) return finding;
  return failed('the answer that the first one got', 'an answer with nothing in it');
}

function saysNothing({ body }: Observation): boolean {
  return /^\s*(?:\{\s*\}|\{\s*"answers"\s*:\s*\[\s*\]\s*\})?\s*$/.test(body.toString('latin1', 0, 100));
}

async function judged(stage: Stage, request: WireRequest): Promise<Finding> {
  return judge(stage, await stage.send(request, 'delivery'));
}

function judge({ endpoint }: Stage, observation: Observation): Finding {
  const { source, type } = endpoint;
  const { status, headers, body, ms } = observation;
  const reply = { status, headers: Object.fromEntries(headers), body, ms };
  const verdict = source.reply.judge(reply, type, switchesOf(source, endpoint.switches));
  // Where nobody waits, no manual says that the body is read.
  const ifNot = isAwaited(endpoint) ? 'failed' : 'warned';
  return {
    outcome: verdict.ok ? 'passed' : ifNot,
    expected: 'a reply that the sender takes for success',
    observed: `${describe(observation)}: ${verdict.says}`,
  };
}
