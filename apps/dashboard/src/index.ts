/**
 * Folder of the built pages, as a file URL: what control serves under `/demo`.
 * Holds the same place for the source and for the compiled module; exists once `vite build` has run.
 */
export const webDirectory = new URL('../dist/web/', import.meta.url);
