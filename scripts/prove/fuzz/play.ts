import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { genuineRequest } from '../../../src/lab/conformance/genuine.ts';
import type { EndpointUnderTest } from '../../../src/lab/conformance/rule.ts';
import { bytesOf, exchange } from '../../../src/lab/conformance/wire.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import { residentMegabytes, type ProgramProcess } from '../../../src/lab/rig/program.ts';
import { makeAttack, oneOf, type Attack } from './attack.ts';

export interface FuzzOptions {
  readonly program: ProgramProcess;
  readonly url: URL;
  readonly endpoints: readonly EndpointUnderTest[];
  readonly seed: number;
  readonly rounds: number;
  readonly roundMs: number;
  /** For the reply to a genuine delivery. */
  readonly withinMs: number;
  readonly growthMb: number;
}

const LANES = 12;
const ATTACK_MS = [200, 800, 3_000];
const GENUINE_EVERY_MS = 100;
const WARM_UP_REST_MS = 2_000;
const LONGEST_REST_MS = 15_000;

/** What was sent last, what came of it, and the first promise that was not kept. */
class State {
  goesOn = true;
  attacks = 0;
  delivered = 0;
  slowestMs = 0;
  broken: string | undefined;
  last: readonly Attack[] = [];

  end(broken?: string): void {
    if (this.goesOn) this.broken = broken;
    this.goesOn = false;
  }
}

/**
 * Attacks the receiver over several connections, while genuine deliveries come to it, until a promise is not kept. A round
 * before the first warms it up; after each its memory must come back to what it was then.
 */
export async function play(options: FuzzOptions): Promise<State> {
  const { program, rounds, roundMs, growthMb } = options;
  const state = new State();
  void program.ended.then(({ code, signal }) =>
    state.end(`The receiver ended (${code ?? signal ?? ''}): ${program.output().slice(-2_000)}`),
  );
  const delivering = deliver(options, state);
  let startMb = NaN;
  for (let round = 0; round <= rounds && state.goesOn; round += 1) {
    const until = performance.now() + roundMs;
    await Promise.all(Array.from({ length: LANES }, () => attack(until, options, state)));
    const restedMb = await rest(program, state, startMb + growthMb);
    if (round === 0) startMb = restedMb;
    const { attacks, delivered, slowestMs } = state;
    console.log(
      `${round === 0 ? 'Warm-up' : `Round ${round} of ${rounds}`}: ${attacks} attacks, ${delivered} genuine deliveries, ` +
        `the slowest after ${Math.round(slowestMs)} ms; memory ${Math.round(restedMb)} MB`,
    );
  }
  state.end();
  await delivering;
  return state;
}

async function attack(until: number, { seed, url, endpoints }: FuzzOptions, state: State): Promise<void> {
  while (state.goesOn && performance.now() < until) {
    const number = (state.attacks += 1);
    const made = await makeAttack(seed, number, endpoints);
    state.last = [...state.last, made].slice(-2 * LANES);
    await exchange(made.bytes, { url, timeoutMs: ATTACK_MS[number % 3] ?? 0, manner: made.manner });
  }
}

/** One at a time, so that what this process itself was late in the meantime can be left out. */
async function deliver(options: FuzzOptions, state: State): Promise<void> {
  const { program, endpoints, seed, withinMs } = options;
  const random = createRandom(seed);
  using own = monitorEventLoopDelay({ resolution: 5 });
  own.enable();
  while (state.goesOn) {
    const pause = sleep(GENUINE_EVERY_MS);
    const of = oneOf(endpoints, random);
    const request = bytesOf(await genuineRequest({ of }, random), of.url);
    own.reset();
    const { status, ms } = await exchange(request, { url: of.url, timeoutMs: 2 * withinMs });
    const lateMs = ms - own.max / 1e6;
    // Its end would be told a moment later.
    if (status === 0) await Promise.race([program.ended, sleep(withinMs, undefined, { ref: false })]);
    if (status !== 200 || lateMs > withinMs)
      state.end(`A genuine delivery to ${of.name}: status ${status} after ${ms} ms.`);
    state.delivered += 1;
    state.slowestMs = Math.max(state.slowestMs, lateMs);
    await pause;
  }
}

/** Its memory when only genuine deliveries have come for a while; NaN where the operating system does not say. */
async function rest(program: ProgramProcess, state: State, mostMb: number): Promise<number> {
  const started = performance.now();
  for (;;) {
    await sleep(GENUINE_EVERY_MS);
    const nowMb = residentMegabytes(program);
    const restedMs = performance.now() - started;
    const isEnough = Number.isNaN(nowMb - mostMb) ? restedMs > WARM_UP_REST_MS : nowMb <= mostMb;
    if (!state.goesOn || isEnough) return nowMb;
    if (restedMs > LONGEST_REST_MS)
      state.end(`Its memory does not come back: ${Math.round(nowMb)} MB, not ${Math.round(mostMb)} MB.`);
  }
}
