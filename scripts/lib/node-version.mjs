/** The oldest Node that the platform runs on: the first 20 with require(esm) and stable fetch. */
const MINIMUM = { major: 20, minor: 19 };

/** Ends the process with one line when this Node is too old. */
export function requireNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recentEnough = major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor);
  if (recentEnough) return;
  console.error(
    `godwit needs Node ${MINIMUM.major}.${MINIMUM.minor} or newer, this is ${process.versions.node}. ` +
      'Remedy: install Node 22 or 24 from https://nodejs.org or your package manager.',
  );
  process.exit(1);
}
