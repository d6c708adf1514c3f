import rateLimit, { normalizeIP, type RateLimitOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import { AUTH_FAILURES_WINDOW_MS, PROJECT_RATE_WINDOW_MS, RATES_KEPT_MAX } from '../limits.js';
import type { Project } from '../projects/project.js';
import { readClaim, verifyAdminToken, verifyClaim } from '../tokens/project-token.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The project that asks; null where none has to. */
    project: Project | null;
    /** Under what its failures are counted. */
    failsAs: string;
  }
}

/** What this process lets through. 0: as much as comes. */
export interface RateLimits {
  /** REST requests of one project a second, over PROJECT_RATE_WINDOW_MS. */
  readonly projectPerSecond: number;
  /** Failed authentications from one address a minute, for one project or for the admin API. */
  readonly failuresPerMinute: number;
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

/** Checks who asks, and how often. All its methods throw ControlErrors. */
export class Gate {
  readonly #context: ControlContext;
  readonly #failures: Limiter | null;
  readonly #requests: Limiter | null;
  #hasWarned = false;

  private constructor(context: ControlContext, failures: Limiter | null, requests: Limiter | null) {
    this.#context = context;
    this.#failures = failures;
    this.#requests = requests;
  }

  static async open(app: FastifyInstance, context: ControlContext, limits: RateLimits): Promise<Gate> {
    app.decorateRequest('project', null);
    app.decorateRequest('failsAs', '');
    await app.register(rateLimit, { global: false });
    const limiter = (max: number, options: RateLimitOptions): Limiter | null =>
      max === 0 ? null : app.createRateLimit({ ...options, max });
    const failures = limiter(limits.failuresPerMinute, {
      timeWindow: AUTH_FAILURES_WINDOW_MS,
      cache: RATES_KEPT_MAX,
      keyGenerator: (request) => `${normalizeIP(request.ip)} ${request.failsAs}`,
    });
    const requests = limiter((limits.projectPerSecond * PROJECT_RATE_WINDOW_MS) / 1_000, {
      timeWindow: PROJECT_RATE_WINDOW_MS,
      cache: RATES_KEPT_MAX,
      keyGenerator: (request) => request.project?.apiKey ?? '',
    });
    return new Gate(context, failures, requests);
  }

  /** Lets a project's server in: `request.project` is set from then on. */
  async project(request: FastifyRequest): Promise<void> {
    const { projects, clockMs } = this.#context;
    request.project = await this.#checked(request, async () => {
      const claim = readClaim(request.headers);
      const project = await projects.find(claim.apiKey);
      // Names of none share one count: each would be a fresh one to guess with.
      request.failsAs = project?.apiKey ?? '';
      await this.#refuseGuesser(request);
      return verifyClaim(claim, project, clockMs());
    });
    await this.#refuseIf(request, this.#requests, { reason: 'project', says: 'This project asks too often' });
  }

  /** Lets an administrator in. */
  async admin(request: FastifyRequest, adminToken: string): Promise<void> {
    await this.#checked(request, async () => {
      request.failsAs = '/admin';
      await this.#refuseGuesser(request);
      verifyAdminToken(request.headers.authorization, adminToken);
    });
  }

  /** Behind a proxy that is not trusted all callers are one address: what one does wrong is counted against all. */
  #lookForProxy({ headers, ip, socket }: FastifyRequest): void {
    if (this.#hasWarned || headers['x-forwarded-for'] === undefined || ip !== socket.remoteAddress) return;
    this.#hasWarned = true;
    this.#context.log.warn(
      'a proxy forwards requests that GODWIT_TRUSTED_PROXIES does not name: its callers count as one',
    );
  }

  /** Counts the failures of a check. */
  async #checked<T>(request: FastifyRequest, check: () => Promise<T>): Promise<T> {
    this.#lookForProxy(request);
    try {
      return await check();
    } catch (error) {
      if (error instanceof ControlError && error.entry === 'unauthorized') await this.#failed(request);
      throw error;
    }
  }

  /** The last of the failures that are allowed is still told as what it is. */
  #failed(request: FastifyRequest): Promise<void> {
    return this.#refuseIf(request, this.#failures, GUESSES);
  }

  /** Before anything is verified: whoever has failed too often is not told whether this one is right. */
  async #refuseGuesser(request: FastifyRequest): Promise<void> {
    const state = await this.#failures?.(request, { increment: false });
    if (state?.isAllowed === false && state.remaining === 0) this.#refuse(state.ttlInSeconds, GUESSES);
  }

  async #refuseIf(request: FastifyRequest, limiter: Limiter | null, refusal: Refusal): Promise<void> {
    const state = await limiter?.(request);
    if (state?.isAllowed === false && state.isExceeded) this.#refuse(state.ttlInSeconds, refusal);
  }

  #refuse(seconds: number, { reason, says }: Refusal): never {
    this.#context.metrics.restRefused.inc({ reason });
    const retryAfterSeconds = Math.max(1, seconds);
    throw new ControlError('tooManyRequests', `${says}: try again in ${retryAfterSeconds} s.`, {
      retryAfterSeconds,
    });
  }
}

interface Refusal {
  readonly reason: 'project' | 'failures';
  readonly says: string;
}

const GUESSES: Refusal = { reason: 'failures', says: 'Too many failed authentications from this address' };
