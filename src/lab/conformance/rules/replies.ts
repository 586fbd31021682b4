import type { EndpointUnderTest, Finding, Rule } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { switchesOf } from '../../mock/request.ts';
import { describe, tried, worse } from '../trials.ts';
import type { WireRequest } from '../wire.ts';

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
      tried('the reply to one that comes again', async (stage) => {
        const request = await stage.genuine();
        await stage.send(request, 'first');
        return judged(stage, request);
      }),
      tried('the replies to ten more', async (stage) => {
        let finding = await judged(stage, await stage.genuine());
        for (let more = 1; more < 10; more += 1)
          finding = worse(finding, await judged(stage, await stage.genuine()));
        return finding;
      }),
    ],
  },
];

async function judged(stage: Stage, request: WireRequest): Promise<Finding> {
  const { endpoint } = stage;
  const { source, type } = endpoint;
  const observation = await stage.send(request, 'delivery');
  const { status, headers, body, ms } = observation;
  const reply = { status, headers: Object.fromEntries(headers), body, ms };
  const verdict = source.reply.judge(reply, type, switchesOf(source, endpoint.switches));
  const outcome = verdict.ok ? 'passed' : ifNot(endpoint);
  return {
    outcome,
    expected: 'a reply that the sender takes for success',
    observed: `${describe(observation)}: ${verdict.says}`,
  };
}

/** Where nobody waits, no manual says that the body is read. */
function ifNot({ source, type }: EndpointUnderTest): Finding['outcome'] {
  return source.events[type]?.mode === 'reply' ? 'failed' : 'warned';
}
