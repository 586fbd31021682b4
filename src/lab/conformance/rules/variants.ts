import { DoesNotApply, type EndpointUnderTest, type Finding, type Rule, type Trial } from '../rule.ts';
import type { Genuine, Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import { namedBy, tellsEffects } from '../making/effects.ts';
import { claimedVariants, plausibleVariants, type Variant } from '../making/variants.ts';

const TAKE =
  'Read what is proven by its bytes and its members, and leave open what the sender leaves open: the method and the ' +
  'Content-Type, further members, their order and spelling. A member that you can do without may be missing.';

/** Group J: what genuine senders also send. */
export const variantRules: readonly Rule[] = [
  {
    id: 'J9-variants',
    group: 'J',
    title: 'accepts a delivery in every way in which its sender may send it',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'A sender has settings and releases, and its papers have gaps. What is refused because it came in another way than in the first test is lost, and the day it begins nobody has changed anything.',
    fix: TAKE,
    trials: (at) => [asUsual(), ...claimedVariants(at).map((variant) => alsoSo(variant, at))],
  },
  {
    id: 'J9-variants-kept',
    group: 'J',
    title: 'does what a delivery asks for in whichever way it came',
    severity: 'high',
    grade: 'durable',
    level: 2,
    why: 'Code that reads one spelling finds nothing in another one, and says 200: the sender takes the event for delivered.',
    fix: `${TAKE} What you cannot read, put aside for a human.`,
    trials: (at) => (tellsEffects(at) ? allKept(at) : []),
  },
];

/** Without its being accepted nothing can be tried, and that another one is accepted shows why it is not. */
function asUsual(): Trial {
  return {
    name: 'as it usually comes',
    opens: true,
    async run(stage): Promise<Finding> {
      const expected = '2xx';
      const observation = await stage.send(await stage.genuine(), 'usual');
      const says = describe(observation);
      if (isAccepted(observation)) return passed(expected, says);
      const other = await firstAccepted(stage);
      if (other === undefined) {
        const observed = `${says}; refused in every other way, too: is the secret the right one?`;
        return { outcome: 'inconclusive', expected, observed };
      }
      return failed(
        expected,
        `${says}. With ${other.name} it was accepted, so the secret is right: it is the usual way of sending that is refused`,
      );
    },
  };
}

async function firstAccepted(stage: Stage): Promise<Variant | undefined> {
  for (const variant of plausibleVariants(stage.endpoint)) {
    const request = await madeOr(variant, stage);
    if (request !== undefined && isAccepted(await stage.send(request, variant.name))) return variant;
  }
  return undefined;
}

/** Nothing where it would be no other request. */
async function madeOr(variant: Variant, stage: Stage): Promise<Genuine | undefined> {
  try {
    return await variant.make(stage);
  } catch (error) {
    if (error instanceof DoesNotApply) return undefined;
    throw error;
  }
}

function alsoSo(variant: Variant, { source }: EndpointUnderTest): Trial {
  return tried(variant.name, async (stage) => {
    const request = await variant.make(stage);
    const observation = await stage.send(request, variant.name);
    const says = describe(observation);
    const expected = `2xx, as ${source.title} may send it so. ${variant.says}`;
    return isAccepted(observation)
      ? passed(expected, says)
      : failed(expected, `a genuine delivery with ${variant.name}: ${says}`);
  });
}

function allKept(at: EndpointUnderTest): Trial[] {
  const variants = claimedVariants(at).filter(({ isNamed }) => isNamed);
  return variants.length === 0 ? [] : [kept(variants)];
}

function kept(variants: readonly Variant[]): Trial {
  const expected = 'an effect of each that was accepted';
  return tried('all of them', async (stage): Promise<Finding> => {
    const sent: { readonly name: string; readonly ref: string }[] = [];
    for (const variant of variants) {
      const request = await madeOr(variant, stage);
      if (request !== undefined && isAccepted(await stage.send(request, variant.name)))
        sent.push({ name: variant.name, ref: request.ref });
    }
    const now = await stage.settled((effects) => sent.every(({ ref }) => namedBy(effects, ref) > 0));
    const lost = sent.filter(({ ref }) => namedBy(now, ref) === 0);
    if (lost.length > 0) return failed(expected, `no effect of ${listed(lost)}, which was accepted`);
    const aside = sent.filter(({ ref }) => now.quarantined.some((effect) => effect.ref === ref));
    if (aside.length === 0) return passed(expected, `${sent.length} effects`);
    return { outcome: 'warned', expected, observed: `put aside for a human: ${listed(aside)}` };
  });
}

function listed(sent: readonly { readonly name: string }[]): string {
  return sent.map(({ name }) => name).join(', ');
}
