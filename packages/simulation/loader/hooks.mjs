// The hooks that mutate.mjs registers: the text of some modules instead of their files.
let mutations = [];

export function initialize(data) {
  mutations = data;
}

export async function load(url, context, nextLoad) {
  const mutation = mutations.find((candidate) => candidate.url === url);
  if (mutation === undefined) return nextLoad(url, context);
  return { format: 'module', source: mutation.source, shortCircuit: true };
}
