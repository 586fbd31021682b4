import { writeSync } from 'node:fs';
import type { PointName } from './points.ts';

/** What a child reads from its environment. */
export interface FaultVariables {
  readonly FAULT_POINT: PointName;
  /** It dies when it passes the point for the n-th time; first is 1. */
  readonly FAULT_AT: string;
}

const STDERR = 2;
const { FAULT_POINT, FAULT_AT } = process.env;
let passed = 0;

/** Ends this process here and now, as a power cut would, if its environment asks for it. Nothing is cleaned up. */
export function pass(point: PointName): void {
  if (point !== FAULT_POINT) return;
  passed += 1;
  if (passed === Number(FAULT_AT)) die(point);
}

/** Ends this process, and says where. */
export function die(where: string): void {
  writeSync(STDERR, `${deathNote(where)}\n`);
  process.kill(process.pid, 'SIGKILL');
}

export function deathNote(where: string): string {
  return `Killed at ${where}.`;
}

/** A call of a method that something was put around. */
export interface Call<Host> {
  readonly self: Host;
  readonly args: readonly unknown[];
  /** Lets the method do what it does, with what it was given unless told otherwise. */
  readonly go: (args?: readonly unknown[]) => unknown;
}

/** Puts a function around a method of a prototype. What the function returns is what the caller gets. */
export function wrapMethod<Host extends object>(
  prototype: Host,
  name: keyof Host & string,
  around: (call: Call<Host>) => unknown,
): void {
  const method: unknown = prototype[name];
  if (typeof method !== 'function') throw new Error(`There is no method ${name} to put something around.`);
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: Host, ...args: unknown[]) {
      const go = (others: readonly unknown[] = args): unknown => Reflect.apply(method, this, others);
      return around({ self: this, args, go });
    },
  });
}
