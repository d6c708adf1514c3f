// Registers the hooks below for this process: `node --import …/mutate.mjs`, with the mutation as JSON in GODWIT_MUTATION.
import { register } from 'node:module';

if (process.env.GODWIT_MUTATION !== undefined) register('./hooks.mjs', import.meta.url);
