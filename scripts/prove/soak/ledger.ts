import { closeSync, existsSync, openSync, readSync, statSync, writeSync } from 'node:fs';

/** What was promised, by a 2xx, and what was handled: a number each, few bytes however many there are. */
export interface Ledger {
  /** The number's delivery was answered 2xx. */
  promise(number: number): void;
  /** Events promised so far. */
  promised(): number;
  /** How often a handler ran so far. */
  runs(): number;
  settle(): Settled;
}

export interface Settled {
  readonly promised: number;
  /** Promised, and never handled. */
  readonly lost: number;
  /** Handled more than once. */
  readonly twice: number;
}

const BYTES = 4;

/** Writes down that an event was handled; survives the death of the process. */
export function noteNumber(file: number, number: number): void {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeUInt32LE(number);
  writeSync(file, bytes);
}

/** `file` is what handlers write to; there are no numbers from `size` on. */
export function createLedger(file: string, size: number): Ledger {
  const promises = new Uint8Array(size);
  let promised = 0;
  return {
    promise(number) {
      if (promises[number] === 0) promised += 1;
      promises[number] = 1;
    },
    promised: () => promised,
    runs: () => (existsSync(file) ? Math.floor(statSync(file).size / BYTES) : 0),
    settle() {
      const runs = countRuns(file, size);
      let [lost, twice] = [0, 0];
      for (let number = 0; number < size; number += 1) {
        if (promises[number] === 1 && runs[number] === 0) lost += 1;
        if ((runs[number] ?? 0) > 1) twice += 1;
      }
      return { promised, lost, twice };
    },
  };
}

const CHUNK = 65_536;

/** How often each was handled; 255 is also more. */
function countRuns(file: string, size: number): Uint8ClampedArray {
  const runs = new Uint8ClampedArray(size);
  if (!existsSync(file)) return runs;
  const chunk = Buffer.alloc(CHUNK);
  const opened = openSync(file, 'r');
  for (let read = readSync(opened, chunk); read > 0; read = readSync(opened, chunk)) {
    for (let at = 0; at + BYTES <= read; at += BYTES) {
      const number = chunk.readUInt32LE(at);
      runs[number] = (runs[number] ?? 0) + 1;
    }
  }
  closeSync(opened);
  return runs;
}
