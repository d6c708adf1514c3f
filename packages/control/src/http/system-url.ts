import type { FastifyRequest } from 'fastify';

/**
 * The URL by which the caller reached this system: it goes into tokens, and the SDK obeys it. Behind a proxy that is trusted it
 * is the proxy's.
 */
export function systemUrl(request: FastifyRequest): string {
  // What a proxy forwards may be anything that its own caller said.
  const protocol = (request.protocol as string) === 'https' ? 'https' : 'http';
  return `${protocol}://${request.host}`;
}
