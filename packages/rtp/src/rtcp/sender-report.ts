import { allocateRtcp, RTCP_HEADER_BYTES, RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';
import type { NtpTime } from './ntp.js';
import { readReportBlocks, REPORT_BLOCK_BYTES, writeReportBlocks } from './report-block.js';
import type { ReportBlock } from './report-block.js';

/** Sender report (RFC 3550 6.4.1). */
export interface SenderReport {
  readonly type: 'senderReport';
  readonly ssrc: number;
  readonly ntp: NtpTime;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
  readonly reports: readonly ReportBlock[];
}

const SENDER_INFO_BYTES = 24;

export function parseSenderReport({ body, count }: RtcpFrame): SenderReport | null {
  const reports = readReportBlocks(body, SENDER_INFO_BYTES, count);
  if (reports === null) return null;
  return {
    type: 'senderReport',
    ssrc: body.readUInt32BE(0),
    ntp: { seconds: body.readUInt32BE(4), fraction: body.readUInt32BE(8) },
    rtpTimestamp: body.readUInt32BE(12),
    packetCount: body.readUInt32BE(16),
    octetCount: body.readUInt32BE(20),
    reports,
  };
}

/** Counts wrap at 2^32. */
export function writeSenderReport(report: SenderReport): Buffer {
  const bodyBytes = SENDER_INFO_BYTES + report.reports.length * REPORT_BLOCK_BYTES;
  const packet = allocateRtcp(RTCP_TYPE.senderReport, report.reports.length, bodyBytes);
  packet.writeUInt32BE(report.ssrc, 4);
  packet.writeUInt32BE(report.ntp.seconds, 8);
  packet.writeUInt32BE(report.ntp.fraction, 12);
  packet.writeUInt32BE(report.rtpTimestamp, 16);
  packet.writeUInt32BE(report.packetCount % 2 ** 32, 20);
  packet.writeUInt32BE(report.octetCount % 2 ** 32, 24);
  writeReportBlocks(packet, RTCP_HEADER_BYTES + SENDER_INFO_BYTES, report.reports);
  return packet;
}
