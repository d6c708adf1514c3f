import type { IngressStatus } from '@godwit/datapath';
import { compactNtp, toCompactDuration, type NtpTime, type ReportBlock } from '@godwit/rtp';
import { RECEIVER_REPORT_INTERVAL_MS, REPORT_BLOCKS_MAX } from './limits.js';

interface Reported {
  packets: number;
  lost: number;
}

/** Reception reports towards one publisher (RFC 3550 6.4.2). */
export class ReceiverReporter {
  #lastMs = Number.NEGATIVE_INFINITY;
  readonly #reported = new Map<number, Reported>();
  readonly #senderReports = new Map<number, { ntp: NtpTime; atMs: number }>();

  /** Remembers when a sender report came, so that the publisher can tell its round-trip time. */
  senderReport(nowMs: number, ssrc: number, ntp: NtpTime): void {
    this.#senderReports.set(ssrc, { ntp, atMs: nowMs });
  }

  isDue(nowMs: number): boolean {
    return nowMs - this.#lastMs >= RECEIVER_REPORT_INTERVAL_MS;
  }

  report(nowMs: number, ingress: readonly IngressStatus[]): ReportBlock[] {
    this.#lastMs = nowMs;
    const known = ingress.flatMap((status) =>
      status.ssrc === null ? [] : [{ ...status, ssrc: status.ssrc }],
    );
    this.#forget(new Set(known.map(({ ssrc }) => ssrc)));
    return known
      .filter(({ highestIndex }) => highestIndex !== null)
      .slice(0, REPORT_BLOCKS_MAX)
      .map((status) => this.#block(nowMs, status));
  }

  #block(nowMs: number, status: IngressStatus & { ssrc: number }): ReportBlock {
    const before = this.#reported.get(status.ssrc) ?? { packets: 0, lost: 0 };
    const lost = status.lost - before.lost;
    const expected = status.packets - before.packets + lost;
    this.#reported.set(status.ssrc, { packets: status.packets, lost: status.lost });
    const last = this.#senderReports.get(status.ssrc);
    return {
      ssrc: status.ssrc,
      fractionLost: expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      packetsLost: status.lost,
      highestSequence: (status.highestIndex ?? 0) % 2 ** 32,
      jitter: Math.round(status.jitter) >>> 0,
      lastSenderReport: last === undefined ? 0 : compactNtp(last.ntp),
      delaySinceLastSenderReport: last === undefined ? 0 : toCompactDuration(nowMs - last.atMs),
    };
  }

  #forget(current: ReadonlySet<number>): void {
    for (const ssrc of this.#reported.keys()) if (!current.has(ssrc)) this.#reported.delete(ssrc);
    for (const ssrc of this.#senderReports.keys()) if (!current.has(ssrc)) this.#senderReports.delete(ssrc);
  }
}
