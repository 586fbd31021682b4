import { messageOf } from '../../src/kit/errors.ts';
import { runCommand } from '../../src/lab/command.ts';
import { exitCodes } from '../../src/lab/conformance/result.ts';
import { groups, type Rule } from '../../src/lab/conformance/rule.ts';
import { rules } from '../../src/lab/conformance/rules/index.ts';
import { printable } from '../../src/lab/printable.ts';
import { textTable } from '../../src/lab/rig/table.ts';
import { UsageError } from '../../src/lab/usage.ts';
import { readCommandLine, type CommandLine } from './options.ts';
import type { Place } from './place.ts';
import { ownerOf, prepare } from './prepare.ts';
import { tryTarget } from './try-target.ts';
import { usageOf } from './usage.ts';

/** Runs the command line. */
export async function runConform(place: Place): Promise<void> {
  // Exit code 1 means that the receiver is at fault; what breaks here must not look like that.
  process.once('uncaughtException', (error) => {
    console.error(`The suite broke off: ${printable(messageOf(error))}`);
    process.exit(exitCodes.broken);
  });
  // For what --probe and --restart run: they may need what stands in .env.
  Object.assign(process.env, place.environment);

  await runCommand(async (args) => {
    const line = readCommandLine(args);
    if (line.values.help) return show(usageOf(place));
    if (line.values.list) return show(listOfRules(rules));
    try {
      return await conform(line, place);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      console.error(`The suite broke off: ${printable(messageOf(error))}`);
      return exitCodes.broken;
    }
  });
}

function show(text: string): number {
  console.log(text);
  return 0;
}

async function conform(line: CommandLine, place: Place): Promise<number> {
  const { app, environment, kit } = place;
  const { values } = line;
  if (kit === undefined && (values.kit || values.bundle !== undefined)) throw new UsageError(NOT_WITHIN);
  if (values.bundle !== undefined) {
    await kit?.bundle(values.bundle);
    return show(
      `Written: ${values.bundle}. It needs Node 20 or later and nothing else: node ${values.bundle} --help`,
    );
  }
  const signal = onInterrupt();
  // The receiver of the kit is the reference one: what it is proven with is not yours.
  const { sources, endpoints: further = [] } = values.kit ? (kit?.app ?? app) : app;
  const prepared = prepare(values, sources);
  const started = values.kit ? await kit?.start() : undefined;
  try {
    const owner = started ?? ownerOf(values, environment);
    return await tryTarget({ line, prepared, owner, signal, further, rules, place });
  } finally {
    await started?.stop();
  }
}

const NOT_WITHIN =
  '--kit and --bundle are there within advance-receiver-kit only, as npm run conform -- --kit: the receiver that one starts, and ' +
  'the text that the other makes this file of, are not here. Try your receiver with --url.';

/** All rules as a table for a terminal. */
function listOfRules(rules: readonly Rule[]): string {
  const rows = rules.map(({ id, severity, grade, level, exhausting, title }) => [
    id,
    severity,
    grade,
    `${level}${exhausting === true ? ' exhausting' : ''}`,
    title,
  ]);
  const legend = Object.entries(groups).map(([group, name]) => `${group} ${name}`);
  return `${textTable([['rule', 'severity', 'grade', 'level', 'a right receiver …'], ...rows])}\n\nGroups: ${legend.join('; ')}.`;
}

/** Aborts when Ctrl-C is pressed or the process is asked to end; the second time it ends at once. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    process.stderr.write('\nInterrupted: the last reply is waited for. Once more ends at once.\n');
    controller.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return controller.signal;
}
