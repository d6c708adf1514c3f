export { openPlainStorage } from './plain-storage.js';
export { createPlainTables, type PlainTables } from './plain-tables.js';
