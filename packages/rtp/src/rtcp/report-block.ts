/** Reception report block (RFC 3550 6.4.1). */
export interface ReportBlock {
  /** The stream that is reported on. */
  readonly ssrc: number;
  /** Share lost since the last report, in 1/256. */
  readonly fractionLost: number;
  /** Cumulative, 24 bits signed: duplicates may make it negative. */
  readonly packetsLost: number;
  /** Cycles in the upper, sequence number in the lower 16 bits. */
  readonly highestSequence: number;
  /** RTP clock units. */
  readonly jitter: number;
  /** Compact NTP time of the last sender report; 0 for none. */
  readonly lastSenderReport: number;
  /** Units of 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

export const REPORT_BLOCK_BYTES = 24;
const PACKETS_LOST_MAX = 0x7fffff;
const PACKETS_LOST_MIN = -0x800000;

/** Reads `count` blocks from `offset` on; null when the body is too short. */
export function readReportBlocks(body: Buffer, offset: number, count: number): ReportBlock[] | null {
  if (offset + count * REPORT_BLOCK_BYTES > body.length) return null;
  return Array.from({ length: count }, (_, index) =>
    readReportBlock(body, offset + index * REPORT_BLOCK_BYTES),
  );
}

function readReportBlock(body: Buffer, at: number): ReportBlock {
  return {
    ssrc: body.readUInt32BE(at),
    fractionLost: body.readUInt8(at + 4),
    packetsLost: body.readIntBE(at + 5, 3),
    highestSequence: body.readUInt32BE(at + 8),
    jitter: body.readUInt32BE(at + 12),
    lastSenderReport: body.readUInt32BE(at + 16),
    delaySinceLastSenderReport: body.readUInt32BE(at + 20),
  };
}

/** Clamps packetsLost to its 24 bits, as RFC 3550 6.4.1 asks. */
export function writeReportBlocks(target: Buffer, offset: number, reports: readonly ReportBlock[]): void {
  reports.forEach((report, index) => {
    const at = offset + index * REPORT_BLOCK_BYTES;
    target.writeUInt32BE(report.ssrc, at);
    target.writeUInt8(report.fractionLost, at + 4);
    target.writeIntBE(Math.min(Math.max(report.packetsLost, PACKETS_LOST_MIN), PACKETS_LOST_MAX), at + 5, 3);
    target.writeUInt32BE(report.highestSequence, at + 8);
    target.writeUInt32BE(report.jitter, at + 12);
    target.writeUInt32BE(report.lastSenderReport, at + 16);
    target.writeUInt32BE(report.delaySinceLastSenderReport, at + 20);
  });
}
