import { execSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readCommandLine } from '../../../scripts/conform/options.ts';
import { wishesIn } from '../../../scripts/conform/outputs.ts';
import { createProbe } from '../../../scripts/conform/owner.ts';
import { quoted } from '../../../src/lab/conformance/resend.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { newFolder } from '../../support/fixtures.ts';
import { requireGo, requireJava } from '../../villains/foreign.ts';
import { requirePython } from '../../villains/python.ts';

// What people copy from the page for other languages.

const page = readFileSync(projectFile('src/lab/conformance/ELSEWHERE.md'), 'utf8');

interface Language {
  readonly name: string;
  readonly isHere: boolean;
  readonly file: string;
  /** A program of the snippet: notes two events, and prints what the probe tells. */
  readonly program: (snippet: string) => string;
  readonly build: string;
  readonly run: string;
}

const languages: readonly Language[] = [
  {
    name: 'python',
    isHere: requirePython('the probe in Python'),
    file: 'probe.py',
    program: (snippet) =>
      `${snippet}\nimport sys\ndone("one", "1")\ndone("two", sys.argv[1])\nprint(effects())\n`,
    build: 'python3 -m py_compile probe.py',
    run: 'python3 probe.py',
  },
  {
    name: 'java',
    isHere: requireJava(),
    file: 'Probe.java',
    program: (snippet) =>
      `${snippet}class Main { public static void main(String[] args) throws IOException {\n` +
      'Probe.done("one", "1"); Probe.done("two", args[0]); System.out.println(Probe.effects()); } }\n',
    build: 'javac Probe.java',
    run: 'java -cp . Main',
  },
  {
    name: 'go',
    isHere: requireGo(),
    file: 'probe.go',
    program: (snippet) =>
      `package main\nimport ("encoding/json"; "fmt"; "os"; "strings"; "sync")\n${snippet}\n` +
      'func main() { done("one", "1"); done("two", os.Args[1]); fmt.Println(effects()) }\n',
    build: 'GOCACHE="$PWD/cache" go build probe.go',
    run: './probe',
  },
];

const HOSTILE = 'a"b\\c\u0001é😀</script>\n';

it.each(languages.filter(({ isHere }) => isHere))(
  'has a probe in $name that tells what was done, whatever an event is called',
  async ({ name, file, program, build, run }) => {
    const [, snippet = ''] = new RegExp(`^\`\`\`${name}\n(.*?)^\`\`\``, 'ms').exec(page) ?? [];
    const folder = newFolder();
    writeFileSync(join(folder, file), program(snippet));
    execSync(build, { cwd: folder });
    const probe = createProbe(
      `cd ${folder} && export LC_ALL=C.UTF-8 && ${run} ${quoted(HOSTILE)}`,
      process.env,
    );
    expect((await probe()).effects).toEqual([
      { type: 'one', ref: '1' },
      { type: 'two', ref: HOSTILE },
    ]);
  },
  300_000,
);

it('has probes of twenty lines at most', () => {
  const probes = [...page.matchAll(/^```(?:python|java|go|csharp)\n(.*?)^```/gms)].map(
    ([, code = '']) => code,
  );
  expect(probes).toHaveLength(4);
  expect(probes.filter((code) => code.split('\n').filter((line) => line !== '').length > 20)).toEqual([]);
});

it('has command lines that the command understands', () => {
  const lines = page.replace(/\n +--/g, ' --').match(/(?<=conform\.mjs )--[^\n]*/g) ?? [];
  expect(lines.length).toBeGreaterThan(6);
  for (const line of lines) {
    const args = line.match(/'[^']*'|[^\s']+/g) ?? [];
    const { report } = readCommandLine(args.map((each) => each.replaceAll("'", ''))).values;
    expect(wishesIn(report)).toHaveLength(report.length);
  }
});
