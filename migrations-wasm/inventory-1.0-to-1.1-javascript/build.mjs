// node build.mjs OUT: makes a component of migration.js. Each feature disabled here is WASI that is not imported.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const installed = process.env.GODWIT_NODE_MODULES ?? fileURLToPath(new URL('node_modules', import.meta.url));
const { componentize } = await import(
  pathToFileURL(`${installed}/@bytecodealliance/componentize-js/src/componentize.js`)
);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { component } = await componentize({
  sourcePath: here('migration.js'),
  witPath: here('../../wit'),
  worldName: 'records',
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(process.argv[2], component);
