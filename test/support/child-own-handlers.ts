import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

// Preloaded with --import: puts the file that OWN_HANDLERS names in the place of src/handlers/index.ts, which is what an
// integrator does by writing into that folder.
registerHooks({
  resolve(specifier, context, next) {
    const own = specifier === './handlers/index.ts' ? process.env['OWN_HANDLERS'] : undefined;
    return next(own === undefined ? specifier : pathToFileURL(own).href, context);
  },
});
