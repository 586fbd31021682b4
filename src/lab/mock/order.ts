import { z } from 'zod';
import { pickOne, UsageError } from '../usage.ts';
import type { Run, RunSize } from './run.ts';
import type { FireOptions, Fired, Sender } from './sender.ts';

const order = z.strictObject({
  payload: z.unknown().optional(),
  set: z.record(z.string(), z.unknown()).default({}),
  add: z.record(z.string(), z.unknown()).default({}),
  switches: z.record(z.string(), z.string()).default({}),
  fault: z.string().optional(),
  count: z.int().min(1).max(100_000).default(1),
  concurrency: z.int().min(1).max(256).default(1),
});

/** What the mock is asked to send while it runs. @throws UsageError that names what does not fit */
export function readOrder(json: unknown): FireOptions & RunSize {
  for (const name of Object.keys(json ?? {})) pickOne('member', name, Object.keys(order.shape));
  const result = order.safeParse(json);
  if (!result.success) throw new UsageError(z.prettifyError(result.error));
  const { set, add, ...rest } = result.data;
  const assigned = (members: typeof set, adds: boolean) =>
    Object.entries(members).map(([path, value]) => ({ path, value, add: adds }));
  return { ...rest, set: [...assigned(set, false), ...assigned(add, true)] };
}

/** One event with all that came of it, or many in figures. @throws UsageError */
export function sendAsked(sender: Sender, type: string, asked: FireOptions & RunSize): Promise<Fired | Run> {
  return asked.count === 1 ? sender.fire(type, asked) : sender.run(type, asked);
}
