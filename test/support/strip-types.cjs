// Jest's transformer: Node's own type stripping, so that the tests run the very text that `node src/main.ts` runs.
// Types become blanks, so lines and columns stay true without a source map.
process.removeAllListeners('warning'); // stripTypeScriptTypes announces on each start that it is experimental
const { createHash } = require('node:crypto');
const { stripTypeScriptTypes } = require('node:module');

module.exports = {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
  getCacheKey: (source) => createHash('sha256').update(process.version).update(source).digest('hex'),
};
