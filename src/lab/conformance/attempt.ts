import { messageOf } from '../../kit/errors.ts';
import type { Exchange } from './exchange.ts';
import { gradeOf, type Case } from './plan.ts';
import { DoesNotApply, type EndpointUnderTest } from './rule.ts';
import { createStage, TargetGone, type Backstage, type Effects, type Stage } from './stage.ts';
import type { Outcome } from './tell.ts';
import { bytesOf, type Observation } from './wire.ts';

/** What came of trying a case. */
export interface Attempt {
  readonly outcome: Outcome;
  readonly exchanges: readonly Exchange[];
  /** Nothing listens at the target any more. */
  readonly gone: boolean;
  /** What went wrong with the suite itself. */
  readonly broken?: string;
}

/** Whoever watches does not want any more of the run. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** `again` makes all that is sent about events that the receiver has not seen. @throws Interrupted */
export async function attempt(
  one: Case,
  backstage: Backstage,
  { again = false }: { readonly again?: boolean } = {},
): Promise<Attempt> {
  const exchanges: Exchange[] = [];
  const started = performance.now();
  const stage = createStage(
    one.endpoint,
    { caseId: one.id, grade: gradeOf(one) },
    again ? { ...backstage, seed: backstage.seed + 1 } : backstage,
    exchanges,
  );
  const found = await findingOf(one, stage);
  const ms = Math.round(performance.now() - started);
  return { ...found, outcome: { ...found.outcome, ms }, exchanges };
}

type Found = Omit<Attempt, 'outcome' | 'exchanges'> & { readonly outcome: Omit<Outcome, 'ms'> };

async function findingOf({ id, trial }: Case, stage: Stage): Promise<Found> {
  try {
    return { outcome: await trial.run(stage), gone: false };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const says = messageOf(error);
    if (error instanceof DoesNotApply) {
      return { outcome: { outcome: 'skipped', expected: '', observed: '', reason: says }, gone: false };
    }
    if (error instanceof TargetGone) {
      const observed = `nothing listens any more: ${says}`;
      return {
        outcome: { outcome: 'failed', expected: 'the receiver goes on answering', observed },
        gone: true,
      };
    }
    // Of the suite, not of the receiver; the other cases are worth trying all the same.
    const observed = `the suite itself failed: ${says}`;
    const outcome = { outcome: 'inconclusive', expected: 'the case can be tried', observed } as const;
    return { outcome, gone: false, broken: `${id}: ${says}` };
  }
}

/** Sends a genuine request, which must be accepted for anything to be found out. Not for the ledger. */
export async function introduce(backstage: Backstage, endpoint: EndpointUnderTest): Promise<Observation> {
  const stage = stageFor(`introduction/${endpoint.name}`, backstage, endpoint);
  const request = await stage.genuine();
  return backstage.carry(bytesOf(request, endpoint.url), endpoint, request.method, {});
}

/** Whether a genuine delivery still has an effect, or is put aside. `after` names the case that raises the doubt. */
export async function showsEffects(
  backstage: Backstage,
  endpoint: EndpointUnderTest,
  after: string,
): Promise<boolean> {
  const stage = stageFor(`effect after ${after}`, backstage, endpoint);
  const request = await stage.genuine();
  await backstage.carry(bytesOf(request, endpoint.url), endpoint, request.method, {});
  const isTold = ({ effects, quarantined }: Effects) =>
    [...effects, ...quarantined].some(({ ref }) => ref === request.ref);
  return isTold(await stage.settled(isTold));
}

function stageFor(caseId: string, backstage: Backstage, endpoint: EndpointUnderTest): Stage {
  return createStage(endpoint, { caseId, grade: 'authentic' }, backstage, []);
}
