export { createPlainTables, openPlainStorage, type PlainTables } from './plain-storage.js';
