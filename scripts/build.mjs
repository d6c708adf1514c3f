// `npm run build`: compiles every package and bundles the browser parts.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './lib/build.mjs';

await build(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
