import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, in which Linux counts for /proc whatever its own tick is. */
const TICKS_PER_SECOND = 100;

interface ProcessTimes {
  readonly parent: number;
  readonly ticks: number;
}

/**
 * Seconds that these processes and all that they started have spent on processors, user and system together. NaN where the
 * operating system does not say, as only Linux does.
 */
export function processorSeconds(pids: readonly number[]): number {
  if (process.platform !== 'linux') return NaN;
  const all = allProcesses();
  let ticks = 0;
  const left = [...pids];
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    ticks += all.get(pid)?.ticks ?? NaN;
    for (const [child, { parent }] of all) if (parent === pid) left.push(child);
  }
  return ticks / TICKS_PER_SECOND;
}

function allProcesses(): Map<number, ProcessTimes> {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return new Map(pids.flatMap((pid) => timesOf(pid)));
}

/** Its own and those of the children that have ended; nothing if it has ended itself. */
function timesOf(pid: number): [number, ProcessTimes][] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it may hold anything. What follows: proc_pid_stat(5), from its third field on.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    return [[pid, { parent, ticks: fields.slice(11, 15).reduce((sum, each) => sum + each, 0) }]];
  } catch {
    return [];
  }
}
