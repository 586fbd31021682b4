import { messageOf } from '../src/kit/errors.ts';
import { UsageError } from '../src/lab/usage.ts';
import { exitCodes } from '../src/lab/conformance/result.ts';
import { groups, type Rule } from '../src/lab/conformance/rule.ts';
import { rules } from '../src/lab/conformance/rules/index.ts';
import { app, environment } from './the-app.ts';
import { example } from '../src/example/index.ts';
import { runCommand } from '../src/lab/command.ts';
import { startKit } from '../src/lab/rig/kit.ts';
import { printable } from '../src/lab/printable.ts';
import { textTable } from '../src/lab/rig/table.ts';
import { projectFile } from '../src/lab/rig/program.ts';
import { readCommandLine, type CommandLine } from './conform/options.ts';
import { ownerOf, prepare } from './conform/prepare.ts';
import { tryTarget } from './conform/try-target.ts';
import { USAGE } from './conform/usage.ts';

// Exit code 1 means that the receiver is at fault; what breaks here must not look like that.
process.once('uncaughtException', (error) => {
  console.error(`The suite broke off: ${printable(messageOf(error))}`);
  process.exit(exitCodes.broken);
});

await runCommand(async (args) => {
  const line = readCommandLine(args);
  if (line.values.help) return show(USAGE);
  if (line.values.list) return show(listOfRules(rules));
  try {
    return await conform(line);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    console.error(`The suite broke off: ${printable(messageOf(error))}`);
    return exitCodes.broken;
  }
});

function show(text: string): number {
  console.log(text);
  return 0;
}

async function conform(line: CommandLine): Promise<number> {
  const signal = onInterrupt();
  // The receiver of this kit is the reference one: what it is proven with is not yours.
  const { sources, endpoints: further = [] } = line.values.kit ? example : app;
  const prepared = prepare(line.values, sources);
  const kit = line.values.kit ? await startKit(example, projectFile('src/example/main.ts')) : undefined;
  try {
    const owner = kit ?? ownerOf(line.values, environment);
    return await tryTarget({ line, prepared, owner, signal, further, rules });
  } finally {
    await kit?.stop();
  }
}

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
