// The hooks that mutate.mjs registers: one module's text instead of its file.
let mutation = null;

export function initialize(data) {
  mutation = data;
}

export async function load(url, context, nextLoad) {
  if (url !== mutation?.url) return nextLoad(url, context);
  return { format: 'module', source: mutation.source, shortCircuit: true };
}
