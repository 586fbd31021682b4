import { registerHooks } from 'node:module';

// Preloaded: says of every module that a program loads where it is.
registerHooks({
  load(url, context, next) {
    process.stderr.write(`loaded ${url}\n`);
    return next(url, context);
  },
});
