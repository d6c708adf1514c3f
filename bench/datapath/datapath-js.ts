// The datapath with everything it does: rules, replay window, nonce guard, cache, statistics, transport-cc arrivals,
// abs-send-time and transport-wide numbers of its own, amplification and duplicate checks.
import { createDatapath } from '@godwit/datapath-js';
import { serveForwarder } from './forwarder.js';
import {
  ABS_SEND_TIME_ID,
  benchKeys,
  PUBLISHER_PAYLOAD_TYPE,
  PUBLISHER_SSRC,
  SUBSCRIBER_PAYLOAD_TYPE,
  SUBSCRIBERS,
  subscriberSsrc,
  TRANSPORT_CC_ID,
  type Addresses,
} from './scenario.js';

const FEEDBACK_INTERVAL_MS = 50;
const PUBLISHER = '00000000000000aa';
const STREAM = { streamId: '00000000000000f1', encodingId: 0, kind: 'video' } as const;
const subscriberId = (at: number): string => (0xb000 + at).toString(16).padStart(16, '0');

const datapath = createDatapath({ onExceptions: () => undefined });
const socket = await datapath.openSocket({
  address: '127.0.0.1',
  port: 0,
  family: 'IPv4',
  purpose: 'client',
});

function configure(addresses: Addresses): void {
  datapath.setStream({ ...STREAM, clockRate: 90_000, ingressEpoch: 1, relayTo: [], acceptFrom: [] });
  own(PUBLISHER, 'publisher', addresses.publisher);
  datapath.setMedia(PUBLISHER, {
    generation: 1,
    ingress: [
      {
        ...STREAM,
        mid: '0',
        ssrc: PUBLISHER_SSRC,
        codecs: [{ payloadType: PUBLISHER_PAYLOAD_TYPE, name: 'vp8', clockRate: 90_000 }],
        extensions: { transportCc: TRANSPORT_CC_ID },
        nack: true,
        keyFrameRequests: true,
        transportCc: true,
      },
    ],
    egress: [],
  });
  for (let at = 0; at < SUBSCRIBERS; at += 1) {
    own(subscriberId(at), `subscriber ${at}`, addresses.subscribers[at]!);
    datapath.setMedia(subscriberId(at), {
      generation: 1,
      ingress: [],
      egress: [
        {
          ...STREAM,
          mid: '0',
          ssrc: subscriberSsrc(at),
          clockRate: 90_000,
          payloadTypes: [{ from: PUBLISHER_PAYLOAD_TYPE, to: SUBSCRIBER_PAYLOAD_TYPE }],
          extensions: [],
          absSendTimeId: ABS_SEND_TIME_ID,
          transportCcId: TRANSPORT_CC_ID,
          enabled: true,
        },
      ],
    });
  }
  setInterval(() => datapath.takeArrivals(PUBLISHER), FEEDBACK_INTERVAL_MS);
}

function own(transportId: string, name: string, remote: Addresses['publisher']): void {
  datapath.addTransport(transportId);
  datapath.bindRemote(transportId, socket.handle, remote);
  datapath.setPaths(transportId, [{ kind: 'socket', socket: socket.handle, remote, proven: true }]);
  datapath.installKeys(transportId, benchKeys(name));
  datapath.setInbound(transportId, { kind: 'own' });
}

serveForwarder({
  port: socket.port,
  configure,
  forwarded: () => datapath.counters()['packets_forwarded'] ?? 0,
});
