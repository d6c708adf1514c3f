// Packs the seed of the embedded database; part of the build, in a process of its own because it takes much memory.
import { writeSeed } from '../packages/storage/dist/index.js';

await writeSeed();
