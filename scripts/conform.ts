import { example } from '../src/example/index.ts';
import { startKit } from '../src/lab/rig/kit.ts';
import { projectFile } from '../src/lab/rig/program.ts';
import packageJson from '../package.json' with { type: 'json' };
import { runConform } from './conform/command.ts';
import { app, environment } from './the-app.ts';

await runConform({
  command: 'npm run conform --',
  version: packageJson.version,
  app,
  environment,
  kit: {
    app: example,
    start: () => startKit(example, projectFile('src/example/main.ts')),
    async bundle(file) {
      const { writeBundle } = await import('./conform/bundle.ts');
      await writeBundle(file);
    },
  },
});
