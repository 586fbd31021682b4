import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { AllHandlers } from '../../../src/kit/handling/handle.ts';
import type { EventDefinition, Occurrence, Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { defineStep, runs, type RunnableStep } from '../../../src/kit/step.ts';
import { effectKey, openEffects, type Effects, asksForStep, STEP, STEP_ENDPOINT } from './effects.ts';
import { die, pass } from './fault.ts';
import { run } from '../../../src/kit/program/run.ts';
import { appOf } from '../../../src/lab/rig/app.ts';

/** The handler that dies each time it runs is the one of this event. */
const { EFFECTS = 'effects.db', POISONED_EVENT } = process.env;
const POISONED = 'the poisoned event';

const afterwards = defineStep(STEP, z.object({ id: z.string() }));

// The real program, on handlers that leave their effects in a file.
await run(appOf({ handlers: createHandlers(), steps: createSteps() }));

/** Handlers for a receiver that is going to be killed: each leaves its event's effect in the file EFFECTS. */
function createHandlers(): AllHandlers {
  const effects = openEffects(EFFECTS);
  const handlersOf = (source: Source) =>
    Object.entries(source.events).map(([type, definition]) => [
      type,
      handlerFor(source, definition, effects),
    ]);
  return Object.fromEntries(sources.map((source) => [source.name, Object.fromEntries(handlersOf(source))]));
}

/** What some of these handlers ask to be done after them, with an effect of its own. */
function createSteps(): readonly RunnableStep[] {
  const effects = openEffects(EFFECTS);
  return [
    runs(afterwards, ({ data: { id } }) => {
      const key = { endpoint: STEP_ENDPOINT, eventId: id, type: STEP, subject: undefined, receivedAt: 0 };
      return change(effects, effectKey(key), id);
    }),
  ];
}

function handlerFor(source: Source, definition: EventDefinition, effects: Effects) {
  return async (occurrence: Occurrence): Promise<object | undefined> => {
    const { endpoint, id, type, payload, receivedAt, followUp } = occurrence;
    const about = definition.subject?.(payload);
    const subject = about === undefined ? undefined : `${source.name} ${about}`;
    const key = { endpoint, eventId: id, type, subject, receivedAt: receivedAt.getTime() };
    await change(effects, effectKey(key), id);
    if (id !== undefined && asksForStep({ type })) followUp(afterwards, { id });
    return definition.mode === 'reply' && source.name === 'hotdocs' ? {} : undefined;
  };
}

/** Lets others run in between, as a handler does that calls somebody. */
async function change(effects: Effects, key: string, id: string | undefined): Promise<void> {
  effects.began(key);
  await nextTurn();
  if (id !== undefined && id === POISONED_EVENT) die(POISONED);
  pass('before-effect');
  effects.put(key);
  pass('after-effect');
  await nextTurn();
}
