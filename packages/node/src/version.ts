/** Version of this package; a test keeps it equal to package.json. */
export const NODE_VERSION = '0.1.0';
