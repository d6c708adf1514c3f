/** Bounds of this implementation; those that every datapath shares are in @godwit/datapath. */

/** Outgoing packets are cut from slabs of this size: about 100 packets, so that a slab is rare and a view is cheap. */
export const SEND_SLAB_BYTES = 128 * 1024;
/** Slabs kept for reuse. A turn that sends more than this allocates and leaves the rest to the collector. */
export const SPARE_SLABS_MAX = 32;
/** Exceptions waiting for the end of the event-loop turn. One turn reads some hundred datagrams at most. */
export const EXCEPTION_QUEUE_MAX = 8_192;
/** An SSRC that no rule knows is told at this pace per transport: a publisher sends hundreds of packets a second. */
export const UNKNOWN_SSRC_INTERVAL_MICROS = 200_000;
/** Packets of one retransmit call: more than a NACK of a full window of loss should cost at once. */
export const RETRANSMIT_PACKETS_MAX = 256;
/** Cache slots grow in steps of this, so that audio does not take the room of video. */
export const CACHE_SLOT_STEP_BYTES = 256;
/** Frames of a link arrive in order but for the kernel's queues; the same window as SRTP is ample. */
export const LINK_REPLAY_BITS = 1_024;
/** Sealing and the largest frame header on top of a client's datagram. */
export const LINK_OVERHEAD_BYTES = 64;
/** A relayed packet cannot be older: held ones wait a second at most. A stamp beyond it is of a clock that is not known. */
export const RELAYED_AGE_MICROS_MAX = 5_000_000;
/** Such a stamp ahead of our clock is no measuring error any more: the offset is known to half a round trip. */
export const RELAYED_AHEAD_MICROS_MAX = 250_000;
/** A node to which a stream is relayed no more may still ask for repairs this long: its route changes a little later. */
export const FORMER_RELAY_MICROS = 2_000_000;
/** A publisher itself cannot jump further at once: the receiver of its SRTP would guess another rollover. */
export const RELAY_JUMP_MAX = 0x7fff;
/** 10,000 packets a second: no encoding comes near, and 48 bits last 890 years. */
export const RELAY_PACKETS_PER_MICRO_MAX = 0.01;
/** Repairs that one node is sent in a second: every packet of eight busy caches. The rest it asks for again. */
export const LINK_REPAIRS_PER_SECOND_MAX = 8_192;
/** Extension elements read of one packet: one per negotiated id, and nobody negotiates more than a dozen. */
export const EXTENSION_ELEMENTS_MAX = 16;
/** Watches for a proof at a time: one path per family and link, old and new. */
export const PROOF_WATCHES_MAX = 8;
/** First indices of an outgoing SSRC lie below 2^15, so that the receiver cannot guess a wrong rollover (RFC 3711 3.3.1). */
export const FIRST_INDEX_MAX = 0x7fff;
