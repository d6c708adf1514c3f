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
/** Extension elements read of one packet: one per negotiated id, and nobody negotiates more than a dozen. */
export const EXTENSION_ELEMENTS_MAX = 16;
/** Watches for a proof at a time: one path per family and link, old and new. */
export const PROOF_WATCHES_MAX = 8;
/** First indices of an outgoing SSRC lie below 2^15, so that the receiver cannot guess a wrong rollover (RFC 3711 3.3.1). */
export const FIRST_INDEX_MAX = 0x7fff;
