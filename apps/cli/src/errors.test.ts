import { describe, expect, it } from 'vitest';
import { CliError, CONFIGURATION_EXIT_CODE, explain } from './errors.js';

describe('what the person at the terminal is told', () => {
  it('names the port that is in use and the setting that changes it', () => {
    const error = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: 4600 });
    expect(explain(error)).toEqual({
      message: 'Port 4600 is in use. Stop the other program, or set GODWIT_PORT to a free port.',
      exitCode: CONFIGURATION_EXIT_CODE,
    });
  });

  it('passes on the one-line errors of settings and storage', () => {
    const error = Object.assign(new Error('The data folder x is in use.'), { name: 'StorageError' });
    expect(explain(error)).toEqual({
      message: 'The data folder x is in use.',
      exitCode: CONFIGURATION_EXIT_CODE,
    });
  });

  it('lets a supervisor start again what failed because the database is away', () => {
    const error = Object.assign(new Error('The database cannot be reached.'), {
      name: 'StorageError',
      retryable: true,
    });
    expect(explain(error).exitCode).toBe(69);
  });

  it('gives each error of the command its own exit code', () => {
    expect(explain(new CliError('unavailable', 'nobody there')).exitCode).toBe(69);
  });
});
