import type { FastifyRequest } from 'fastify';

/** The URL by which the caller reached this system: it goes into tokens, and the SDK obeys it. */
export function systemUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}
