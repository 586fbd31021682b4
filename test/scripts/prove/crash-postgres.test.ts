import { describe, expect, it } from '@jest/globals';
import { startEngine } from '../../../scripts/prove/crash/engine.ts';
import { playMachines } from '../../../scripts/prove/crash/machines.ts';
import { describeCrashes } from './crash-contract.ts';

describe('postgres', () => describeCrashes('postgres'));

const DELIVERIES = 400;

// npm run prove -- crash --machines plays more, and waits for the leases of the dead.
it(`loses nothing of ${DELIVERIES} deliveries when receivers and workers are killed, and handles none twice`, async () => {
  const engine = await startEngine('postgres');
  try {
    const machines = await playMachines({
      engine,
      deliveries: DELIVERIES,
      kills: 2,
      seed: 1,
      leases: 'lapse',
    });
    expect(machines.problems).toEqual([]);
    expect(machines.stored).toBe(machines.handled + machines.gone);
  } finally {
    await engine.close();
  }
});
