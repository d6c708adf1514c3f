import { allocateRtcp, RTCP_HEADER_BYTES, RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';
import { readReportBlocks, REPORT_BLOCK_BYTES, writeReportBlocks } from './report-block.js';
import type { ReportBlock } from './report-block.js';

/** Receiver report (RFC 3550 6.4.2); without reports it only leads a compound. */
export interface ReceiverReport {
  readonly type: 'receiverReport';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
}

const SSRC_BYTES = 4;

export function parseReceiverReport({ body, count }: RtcpFrame): ReceiverReport | null {
  const reports = readReportBlocks(body, SSRC_BYTES, count);
  return reports === null ? null : { type: 'receiverReport', ssrc: body.readUInt32BE(0), reports };
}

export function writeReceiverReport(report: ReceiverReport): Buffer {
  const bodyBytes = SSRC_BYTES + report.reports.length * REPORT_BLOCK_BYTES;
  const packet = allocateRtcp(RTCP_TYPE.receiverReport, report.reports.length, bodyBytes);
  packet.writeUInt32BE(report.ssrc, RTCP_HEADER_BYTES);
  writeReportBlocks(packet, RTCP_HEADER_BYTES + SSRC_BYTES, report.reports);
  return packet;
}
